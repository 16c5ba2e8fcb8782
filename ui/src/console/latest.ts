/** The job to show: the newest that is known, or the one begun here as long as no process says that it has ended. */
import type { Job } from '~/api/admin.gen';

export function latest(rows: Job[], begun: Job | null, about?: string): Job | undefined {
  const found = rows.find((one) => about === undefined || one.about === about);
  if (!begun || (found && found.started > begun.started)) return found;
  return rows.find((one) => one.id === begun.id) ?? begun;
}
