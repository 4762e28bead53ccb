/** Ends of the session, by its owner and from outside, and the checks after an acknowledged end. */
import assert from 'node:assert/strict'
import { isDenial } from '../../src/core/denial.ts'
import { changeApplication } from '../../src/usecases/applications.ts'
import { changeAccount } from '../../src/usecases/change-account.ts'
import type { Deps } from '../../src/usecases/deps.ts'
import { endSession } from '../../src/usecases/end-session.ts'
import { endSessions } from '../../src/usecases/end-sessions.ts'
import { SYSTEM } from '../../src/core/actions.ts'
import { Broken } from './ledger.ts'
import type { Move } from './moves.ts'
import { type Scene, anInstance, present, tell } from './scene.ts'

/** Carries out an end. Returns the reason that the row must show, or null if the end was not acknowledged. */
type End = (scene: Scene, deps: Deps) => Promise<string | null>

const BY = { accountId: SYSTEM, code: 'Users->endSessions', message: 'a walk' } as const

const signOut: End = async ({ site, storage }, _deps) =>
  (await site.signOut(0, storage.token.text)) ? 'signed-out' : null

const byAdministrator: End = async ({ site }, deps) => {
  const reason = 'ended-by-administrator'
  return (await endSession(deps, BY, site.account.accountId, site.sessionId, reason)) === null ? reason : null
}

const everywhere: End = async (scene, deps) => {
  const { site } = scene
  scene.siblingOver = true
  await endSessions(deps, BY, site.account.accountId, 'ended-by-user')
  return 'ended-by-user'
}

const suspension: End = async (scene, deps) => {
  const { accountId } = scene.site.account
  assert.ok(!isDenial(await changeAccount(deps, BY, accountId, { status: 2 })))
  scene.siblingOver = true
  scene.suspended = true
  scene.undo = async () => {
    assert.ok(!isDenial(await changeAccount(deps, BY, accountId, { status: 1 })))
    scene.suspended = false
  }
  return 'suspended'
}

const disabling: End = async (scene, deps) => {
  const { application } = scene.site
  await changeApplication(deps, application, { disabled: true })
  scene.siblingOver = true
  scene.undo = () => changeApplication(deps, application, { disabled: false })
  return 'application-disabled'
}

const ENDS: readonly End[] = [signOut, byAdministrator, everywhere, suspension, disabling]

/** One of the ends, to be carried out while others present their tokens. */
export function theEnd(scene: Scene): () => Promise<string | null> {
  const end = scene.random.pick(ENDS)
  const instance = anInstance(scene)
  return () => end(scene, scene.site.engine.deps[instance])
}

export function endMoves(scene: Scene): Move[] {
  if (!scene.plan.administrator) return []
  return [{ weight: 0.3, run: () => present(scene, [], theEnd(scene)) }]
}

/** S2: after the end, no token that anybody has is worth anything, on any instance, for good. */
export async function examineDead(scene: Scene): Promise<void> {
  const { ledger, site } = scene
  tell(scene, `after the end (${ledger.over}) everybody tries everything`)
  await tryEverything(scene)
  if (scene.undo === null) return
  await scene.undo()
  tell(scene, 'what was done to account or application is undone')
  await tryEverything(scene)
  const row = await site.row()
  if (ledger.over !== 'application-disabled' && row.endedAtMs === null)
    throw new Broken('S2: the session came back')
}

async function tryEverything(scene: Scene): Promise<void> {
  scene.ledger.suspended = scene.suspended
  const { clients, loot, storage, accessTokens, site, ledger } = scene
  const all = [storage, ...loot, ...clients.flatMap(({ message, own }) => [message, own])]
  const held = new Map(all.filter((each) => each !== null).map((each) => [each.token.text, each]))
  await present(
    scene,
    [...held.values()].map(({ token, key }) => {
      return { who: 'somebody', instance: anInstance(scene), token, key, caller: 'nobody', receive() {} }
    }),
  )
  const opened = await Promise.all(accessTokens.map((token) => site.verify(anInstance(scene), token)))
  if (opened.includes(true)) throw new Broken(`S2: an access token outlived the end (${ledger.over})`)
}

/** While the session lives, an access token that was just granted opens the API on every instance. */
export async function examineLiving(scene: Scene, granted: string | undefined): Promise<void> {
  if (granted === undefined || scene.ledger.over !== null) return
  if (!(await scene.site.verify(anInstance(scene), granted)))
    throw new Broken('an access token that was just granted is refused')
}

/** The account's other session lives, unless the end was meant for it too. */
export async function examineSibling(scene: Scene): Promise<void> {
  const { site, ledger, plan } = scene
  if (plan.policy.idleMs > 0 || plan.policy.ttlMs < 365 * 86_400_000) return
  const reply = await site.refresh(anInstance(scene), site.sibling.refreshToken, null, 'nobody')
  const end = ledger.over ?? 'no end'
  if (reply.kind === 'granted' && scene.siblingOver)
    throw new Broken(`S2: after ${end} the other session of the account lives on`)
  if (reply.kind !== 'granted' && !scene.siblingOver)
    throw new Broken(`after ${end} the other session is refused: ${JSON.stringify(reply)}`)
}
