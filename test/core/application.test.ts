/** What a change makes of an application and its epoch. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changedApplication } from '../../src/core/application.ts'
import { anApplication } from '../support/sessions.ts'

const ENABLED = anApplication({ epoch: 3 })
const DISABLED = anApplication({ epoch: 3, disabled: true })

test('a change sets the given properties, and none that was left out', () => {
  const after = changedApplication(ENABLED, { name: 'Shop', idleSeconds: 600 })
  assert.deepEqual(after, { ...ENABLED, name: 'Shop', idleSeconds: 600 })
})

test('disabling raises the epoch, once', () => {
  assert.deepEqual(changedApplication(ENABLED, { disabled: true }), { ...DISABLED, epoch: 4 })
  assert.deepEqual(changedApplication(DISABLED, { disabled: true }), DISABLED)
})

test('enabling leaves the epoch, so that ended sessions stay ended', () => {
  assert.deepEqual(changedApplication(DISABLED, { disabled: false }), ENABLED)
})
