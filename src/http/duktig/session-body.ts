import type { DateFormat } from '../../core/dates.ts'
import type { SessionListing } from '../../store/store.ts'

/** What every list tells of a session; `sessionProperties` in `schemas.ts` describes it. */
export function sessionBody(session: SessionListing, dates: DateFormat): object {
  return {
    sessionId: session.sessionId,
    dateLogin: dates.format(session.createdAtMs),
    loginIp: session.address,
    deviceId: session.deviceId,
    userAgent: session.userAgent,
  }
}
