import { openTestPostgres } from './open-postgres.ts'
import { storeSuite } from './suite.ts'

storeSuite({ name: 'PostgreSQL', open: openTestPostgres })
