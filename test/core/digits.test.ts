import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digitsOf } from '../../src/core/digits.ts'

test('an id is written in digits, with the zeros inside it and none before it', () => {
  const ids = [
    0, 7, 999, 1000, 1001, 10_010, 999_999, 1_000_000, 2_000_003, 4_294_967_296, 281_474_976_710_655,
  ]
  assert.deepEqual(ids.map(digitsOf), ids.map(String))
})
