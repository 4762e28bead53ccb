/** Turns request bodies that describe an account into what the use cases take. */
import type { AccountEdit } from '../../usecases/change-account.ts'
import type { AccountToCreate } from '../../usecases/create-account.ts'
import type { JsonObject } from '../body.ts'
import {
  comment,
  email,
  firstName,
  lastName,
  newPassword,
  patchStatus,
  phone,
  roleId,
  status,
} from './rules.ts'

export const ALL_FIELDS = {
  firstName,
  lastName,
  email,
  password: newPassword,
  phone,
  comment,
  roleId,
  status,
}
export const PATCH_FIELDS = { ...ALL_FIELDS, status: patchStatus }
export const OWN_FIELDS = { firstName, lastName, password: newPassword, phone }

const NUMBERS: ReadonlySet<string> = new Set(['roleId', 'status'])

/** The values of a validated body. Null and missing values are left out; decimal text of numbers becomes numbers. */
export function editOf(body: JsonObject): AccountEdit {
  const values = Object.entries(body)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => [key, NUMBERS.has(key) ? Number(value) : value])
  return Object.fromEntries(values) as AccountEdit
}

/** The values of a validated body that has all the fields. */
export function accountOf(body: JsonObject): AccountToCreate {
  return editOf(body) as AccountToCreate
}
