// node-oidc-provider with rotating refresh tokens, everything in memory. PORT, TOKENS (how many to make), TAPE (where to).
import { writeFileSync } from 'node:fs'
import Provider from 'oidc-provider'

/** Memory without a bound and without expiry checks: the quickest store it can have. */
const models = new Map()

class Memory {
  #rows
  constructor(name) {
    if (!models.has(name)) models.set(name, new Map())
    this.#rows = models.get(name)
  }
  async upsert(id, payload) {
    this.#rows.set(id, payload)
  }
  async find(id) {
    return this.#rows.get(id)
  }
  async findByUid(uid) {
    return this.#rows.values().find((payload) => payload.uid === uid)
  }
  async findByUserCode(userCode) {
    return this.#rows.values().find((payload) => payload.userCode === userCode)
  }
  async consume(id) {
    const payload = this.#rows.get(id)
    if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000)
  }
  async destroy(id) {
    this.#rows.delete(id)
  }
  async revokeByGrantId(grantId) {
    for (const [id, payload] of this.#rows) if (payload.grantId === grantId) this.#rows.delete(id)
  }
}

const clientId = 'bench'
const scope = 'offline_access'
const port = Number(process.env.PORT)
const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: Memory,
  clients: [
    {
      client_id: clientId,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://app.example.com/signed-in'],
    },
  ],
  cookies: { keys: ['benchmark'] },
  features: { devInteractions: { enabled: false } },
  findAccount: async (_ctx, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 900, Grant: 2_592_000, RefreshToken: 2_592_000 },
})

const client = await provider.Client.find(clientId)
const tokens = []
for (let i = 0; i < Number(process.env.TOKENS); i++) {
  const accountId = `account-${i}`
  const grant = new provider.Grant({ accountId, clientId })
  grant.addOIDCScope(scope)
  const grantId = await grant.save()
  const token = new provider.RefreshToken({ accountId, client, grantId, gty: 'authorization_code', scope })
  tokens.push(await token.save())
}
writeFileSync(process.env.TAPE, tokens.map((token) => `${token}\n`).join(''))
provider.listen(port, '127.0.0.1')
