// `npm test`: brings what is missing and runs all tests, or only the files that are named.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runWithNode } from './bootstrap.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
await runWithNode([join(root, 'scripts', 'run-tests.ts'), ...process.argv.slice(2)], { packages: 'all' })
