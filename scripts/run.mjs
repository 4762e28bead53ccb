// Runs a script of the project with a Node that is new enough and all packages: `node scripts/run.mjs SCRIPT …`.
import { resolve } from 'node:path'
import { runWithNode } from './bootstrap.mjs'

const [script = '', ...args] = process.argv.slice(2)
await runWithNode([resolve(script), ...args], { packages: 'all' })
