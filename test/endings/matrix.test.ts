/**
 * Every way to end a session, against both tokens, on both engines, during a storm of refreshes: no request that starts
 * after the end was acknowledged succeeds, on any instance.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ENGINES } from '../support/engines.ts'
import { ENDINGS, NEW_ROLE, changeRole } from './events.ts'
import { type Answer, type House, openHouse, openScene, storm } from './scene.ts'

const ROUNDS = 3

for (const { name, open } of ENGINES) {
  describe(`endings on ${name}`, () => {
    let opened: House | undefined
    const house = () => opened as House
    before(async () => {
      opened = await openHouse(await open())
    })
    after(() => opened?.close())

    for (const rotation of [true, false]) {
      const how = `with rotation ${rotation ? 'on' : 'off'}`
      for (const { what, reason, end } of ENDINGS) {
        test(`after ${what} neither token is good for anything, ${how}`, async () => {
          for (let round = 0; round < ROUNDS; round++) {
            const scene = await openScene(house(), rotation)
            const answers = await storm(house().engine, scene, () => end(scene))
            assertOver(answers, reason)
          }
        })
      }

      test(`after a change of role the next request has the new one, ${how}`, async () => {
        for (let round = 0; round < ROUNDS; round++) {
          const scene = await openScene(house(), rotation)
          const answers = await storm(house().engine, scene, () => changeRole(scene))
          for (const { status } of answers) assert.equal(status, 200)
          for (const { late, role } of answers) if (late) assert.equal(role, NEW_ROLE)
        }
      })
    }
  })
}

function assertOver(answers: readonly Answer[], reason: string | null): void {
  for (const answer of answers) {
    const text = JSON.stringify(answer)
    assert.ok([200, 401, 403].includes(answer.status), text)
    if (answer.late) assert.notEqual(answer.status, 200, text)
    if (answer.status === 200) continue
    assert.equal(answer.status, reason === null ? 403 : 401, text)
    assert.equal(answer.reason, reason, text)
  }
  for (const kind of ['refresh token', 'access token']) {
    const ofKind = answers.filter((answer) => answer.kind === kind)
    const worked = ofKind.some(({ status }) => status === 200)
    assert.ok(worked && ofKind.some(({ late }) => late), `no ${kind} was tried before and after`)
  }
}
