import type { Mutation } from './mutation.ts'
import { ORIGINAL } from './original.ts'
import { OTHERS } from './others.ts'
import { PROTOCOL } from './protocol.ts'
import { IN_REQUESTS } from './requests.ts'

export const MUTATIONS: readonly Mutation[] = [...ORIGINAL, ...PROTOCOL, ...OTHERS, ...IN_REQUESTS]
