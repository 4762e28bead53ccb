// better-auth as OAuth provider on SQLite. PORT, TOKENS (how many to make), TAPE (where to), DATABASE (the file).
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { oauthProvider } from '@better-auth/oauth-provider'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'

const port = Number(process.env.PORT)
const database = new DatabaseSync(process.env.DATABASE)
// As durable as the product is measured with.
database.exec('pragma journal_mode = wal; pragma synchronous = full')

const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: 'a secret of the benchmark, long enough',
  database,
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: 'error' },
  plugins: [
    oauthProvider({
      loginPage: '/sign-in',
      consentPage: '/consent',
      disableJwtPlugin: true,
      scopes: ['openid', 'offline_access'],
    }),
  ],
})
const { runMigrations } = await getMigrations(auth.options)
await runMigrations()
const { adapter } = await auth.$context

const now = new Date()
const expiresAt = new Date(Date.now() + 2_592_000_000)
const clientId = 'bench'
await adapter.create({
  model: 'oauthClient',
  data: {
    clientId,
    name: 'Benchmark',
    public: true,
    type: 'user-agent-based',
    tokenEndpointAuthMethod: 'none',
    grantTypes: ['authorization_code', 'refresh_token'],
    responseTypes: ['code'],
    redirectUris: ['https://app.example.com/signed-in'],
    scopes: ['openid', 'offline_access'],
    createdAt: now,
    updatedAt: now,
  },
})
const tokens = []
database.exec('pragma synchronous = off')
for (let i = 0; i < Number(process.env.TOKENS); i++) {
  const email = `person.${i}@example.com`
  const user = await adapter.create({
    model: 'user',
    data: { name: `Person ${i}`, email, emailVerified: true, createdAt: now, updatedAt: now },
  })
  const token = randomBytes(24).toString('base64url')
  const stored = createHash('sha256').update(token).digest('base64url')
  await adapter.create({
    model: 'oauthRefreshToken',
    data: { token: stored, clientId, userId: user.id, scopes: ['offline_access'], createdAt: now, expiresAt },
  })
  tokens.push(token)
}
database.exec('pragma synchronous = full')
writeFileSync(process.env.TAPE, tokens.map((token) => `${token}\n`).join(''))
createServer(toNodeHandler(auth)).listen(port, '127.0.0.1')
