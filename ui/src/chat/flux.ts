/** What a Flux stream tells of its panel, folded into what the page shows. */
export type Seat = {
  model: string;
  name: string;
  status: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  latencyMs?: number;
  reason?: string;
  cost?: string;
  worst?: string;
  draft?: string;
};
export type FluxState = {
  sources: Seat[];
  fuser: Seat | null;
  analysis: Seat | null;
  quorum?: number;
  worst?: string;
  simulated?: boolean; // nothing of it is charged, so nothing of it has a price
  degraded?: boolean;
  reason?: string;
  comparison?: string;
};

type Named = { model: string; name?: string; worst_case_usd?: string };
type Call = {
  role: string;
  model: string;
  status: Seat['status'];
  latency_ms?: number;
  cost_usd?: string;
  reason?: string | null;
  index?: number;
};
type Exposed = { drafts?: { model: string; text: string; index?: number }[]; analysis?: string | null };
export type FluxEvent = {
  event: string;
  sources?: Named[] | number;
  fuser?: Named;
  analysis?: Named | null;
  quorum?: number;
  worst_case_usd?: string;
  simulated?: boolean;
  index?: number;
  status?: Seat['status'];
  latency_ms?: number;
  reason?: string | null;
  degraded?: boolean;
  calls?: Call[];
  exposed?: Exposed;
};

const seatOf = (named: Named): Seat => ({
  model: named.model,
  name: named.name ?? named.model,
  status: 'waiting',
  ...(named.worst_case_usd ? { worst: named.worst_case_usd } : {}),
});

function step(before: Seat, event: FluxEvent): Seat {
  return {
    ...before,
    status: event.status ?? before.status,
    ...(event.latency_ms === undefined ? {} : { latencyMs: event.latency_ms }),
    ...(event.reason ? { reason: event.reason } : {}),
  };
}

export function folded(state: FluxState | undefined, event: FluxEvent): FluxState {
  const now: FluxState = state ?? { sources: [], fuser: null, analysis: null };
  switch (event.event) {
    case 'panel': {
      // The simulator is held nothing for; the crumbs of it would say nothing.
      const seat = event.simulated ? (named: Named) => seatOf({ ...named, worst_case_usd: '' }) : seatOf;
      return {
        sources: Array.isArray(event.sources) ? event.sources.map(seat) : [],
        fuser: event.fuser ? seat(event.fuser) : null,
        analysis: event.analysis ? seat(event.analysis) : null,
        ...(event.quorum === undefined ? {} : { quorum: event.quorum }),
        ...(event.worst_case_usd && !event.simulated ? { worst: event.worst_case_usd } : {}),
        ...(event.simulated ? { simulated: true } : {}),
      };
    }
    case 'source':
      return { ...now, sources: now.sources.map((one, index) => (index === event.index ? step(one, event) : one)) };
    case 'analysis':
      return { ...now, analysis: now.analysis && step(now.analysis, event) };
    case 'fuser':
      return { ...now, fuser: now.fuser && step(now.fuser, event) };
    case 'result':
      return ended(now, event);
    default:
      return now;
  }
}

function ended(state: FluxState, event: FluxEvent): FluxState {
  const calls = event.calls ?? [];
  const drafts = [...(event.exposed?.drafts ?? [])];
  // A model may sit twice on the panel, and an attempt may have been made again: the last call of a seat speaks for it.
  const told = (one: Seat, role: string, place?: number): Seat => {
    const call = calls.filter((call) => call.role === role && call.model === one.model && call.index === place).at(-1);
    if (!call) return one;
    const at =
      role === 'source' && call.status === 'done' ? drafts.findIndex((draft) => draft.model === one.model) : -1;
    const draft = at >= 0 ? drafts.splice(at, 1)[0] : undefined;
    return {
      ...one,
      status: call.status,
      ...(call.latency_ms === undefined ? {} : { latencyMs: call.latency_ms }),
      ...(call.cost_usd && !state.simulated ? { cost: call.cost_usd } : {}),
      ...(call.reason ? { reason: call.reason } : {}),
      ...(draft ? { draft: draft.text } : {}),
    };
  };
  return {
    ...state,
    sources: state.sources.map((one, place) => told(one, 'source', place)),
    analysis: state.analysis && told(state.analysis, 'analysis'),
    fuser: state.fuser && told(state.fuser, 'fuser'),
    degraded: event.degraded ?? false,
    ...(event.reason ? { reason: event.reason } : {}),
    ...(event.exposed?.analysis ? { comparison: event.exposed.analysis } : {}),
  };
}
