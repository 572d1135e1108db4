import type { Actors, Metrics, Pipeline, RunDetails, RunEntry, RunList, Study } from './types';

export interface Views { run: RunDetails; metrics: Metrics; pipeline: Pipeline | null; actors: Actors | null }

type Listener = { [K in keyof Views]?: (view: Views[K]) => void };

/** Where pages get their data: a server, or a report that holds it. */
export interface Source {
  /** Whether there is a list of runs to go back to. */
  readonly isLive: boolean;
  list(): Promise<RunList>;
  study(id: string): Promise<Study | null>;
  metrics(id: string): Promise<Metrics>;
  /** A run or study by its name; null where there is none. */
  find(id: string): Promise<RunEntry | null>;
  /** Hears views now and whenever they change; returns how to stop. */
  watch(id: string, listener: Listener, onState: (connected: boolean) => void): () => void;
  /** Brings a fault about, of an actor or of its link to a peer; resolves to what went wrong, or null. */
  fault(id: string, fault: string, actor: number, peer?: number): Promise<string | null>;
}

const tokenKey = 'disttrain-token';

class Server implements Source {
  readonly isLive = true;

  constructor() {
    // The token comes behind the # of the address that the program printed, and leaves the address bar at once.
    const given = /[#&]token=([0-9a-f]+)/.exec(location.hash);
    if (given?.[1]) {
      sessionStorage.setItem(tokenKey, given[1]);
      history.replaceState(null, '', '#');
    }
  }

  list(): Promise<RunList> {
    return get('api/runs');
  }

  study(id: string): Promise<Study | null> {
    return get(`api/study?id=${encodeURIComponent(id)}`);
  }

  metrics(id: string): Promise<Metrics> {
    return get(`api/metrics?id=${encodeURIComponent(id)}`);
  }

  find(id: string): Promise<RunEntry | null> {
    return get(`api/find?id=${encodeURIComponent(id)}`);
  }

  watch(id: string, listener: Listener, onState: (connected: boolean) => void): () => void {
    const names = Object.keys(listener) as (keyof Views)[];
    let stream: EventSource | undefined;
    const close = (): void => {
      stream?.close();
      stream = undefined;
    };
    const connect = (): void => {
      const awaited = new Set(names);
      stream = new EventSource(`api/events?id=${encodeURIComponent(id)}&views=${names.join(',')}`);
      for (const name of names) {
        stream.addEventListener(name, event => {
          const tell = listener[name] as ((view: unknown) => void) | undefined;
          tell?.(JSON.parse((event as MessageEvent<string>).data));
          awaited.delete(name);
          closeUnseen(awaited);
        });
      }
      stream.onopen = () => onState(true);
      stream.onerror = () => onState(false);
    };

    // A browser has six connections for all tabs together: a tab that nobody sees has what it shows, and leaves its own to others until it is looked at again.
    const closeUnseen = (awaited: Set<string>): void => {
      if (document.hidden && awaited.size === 0) {
        close();
      }
    };
    const onSeen = (): void => {
      if (!document.hidden && !stream) {
        connect();
      } else {
        closeUnseen(new Set());
      }
    };
    document.addEventListener('visibilitychange', onSeen);
    connect();
    return () => {
      document.removeEventListener('visibilitychange', onSeen);
      close();
    };
  }

  async fault(id: string, fault: string, actor: number, peer?: number): Promise<string | null> {
    const answer = await fetch(`api/control?id=${encodeURIComponent(id)}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-DistTrain-Token': sessionStorage.getItem(tokenKey) ?? '' },
      body: JSON.stringify({ actor, fault, peer }),
    });
    return answer.ok ? null : ((await answer.json()) as { error: string }).error;
  }
}

interface Embedded { run: RunDetails; metrics: Metrics | null; pipeline: Pipeline | null; study: Study | null }

class Report implements Source {
  readonly isLive = false;

  constructor(private readonly data: Embedded) {}

  list(): Promise<RunList> {
    return Promise.resolve({ folder: '', controls: false, count: 1, runs: [this.data.run.entry] });
  }

  study(): Promise<Study | null> {
    return Promise.resolve(this.data.study);
  }

  metrics(): Promise<Metrics> {
    return Promise.resolve(this.data.metrics!);
  }

  find(id: string): Promise<RunEntry | null> {
    return Promise.resolve(id === this.data.run.entry.id ? this.data.run.entry : null);
  }

  watch(_id: string, listener: Listener): () => void {
    listener.run?.(this.data.run);
    if (this.data.metrics) {
      listener.metrics?.(this.data.metrics);
    }
    listener.pipeline?.(this.data.pipeline);
    listener.actors?.(null);
    return () => undefined;
  }

  fault(): Promise<string | null> {
    return Promise.resolve('this is a report: the run is over');
  }
}

async function get<T>(address: string): Promise<T> {
  const answer = await fetch(address);
  const body = (await answer.json()) as T & { error?: string };
  if (!answer.ok) {
    throw new Error(body.error ?? `the server answered ${answer.status}`);
  }
  return body;
}

export function open(): Source {
  const data = document.getElementById('data');
  return data ? new Report(JSON.parse(data.textContent ?? '') as Embedded) : new Server();
}
