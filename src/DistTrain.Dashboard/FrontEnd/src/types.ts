// What the server and reports give. Numbers that are none arrive as null.
export type Num = number | null;

export interface RunEntry {
  id: string; kind: 'run' | 'study'; name: string; method: string; engine: string; status: string; steps: number;
  finalLoss: Num; trainAccuracy: Num; testAccuracy: Num; seconds: Num; modified: number;
}

/** The newest of so many runs. */
export interface RunList { folder: string; controls: boolean; count: number; runs: RunEntry[] }

export interface LiveStatus { step: number; totalSteps: number; elapsed: number; noticeCount: number; notices: string[] }

export interface RunDetails {
  entry: RunEntry; experiment: string; summary: Record<string, unknown> | null; live: LiveStatus | null; hasTrace: boolean;
}

export interface CurveColumns {
  step: number[]; elapsed: number[]; loss: Num[]; lossMin: Num[]; lossMax: Num[]; accuracy: Num[]; learningRate: Num[];
}

export interface EpochRow {
  step: number; epoch: number; elapsed: number; trainLoss: Num; trainAccuracy: Num; testLoss: Num; testAccuracy: Num;
}

export interface HealthRow { step: number; zero: Num; dead: Num; saturated: Num; gradientNorm: Num; updateRatio: Num }

export interface Metrics {
  version: number; rows: number; unreadable: number; totalSteps: number;
  starts: { restart: number; steps: CurveColumns; epochs: EpochRow[] }[];
  health: { layer: string; rows: HealthRow[] }[];
}

export interface Span {
  actor: number; start: number; end: number; kind: string; step: number; microBatch: number; version: number; staleness: number;
}

export interface Wait { actor: number; start: number; end: number; share: string; step: number }

/** Where an actor's time went, in microseconds. */
export interface ActorShares { actor: string; busy: number; forwardLock: number; updateLock: number; backwardLock: number; parameters: number; rest: number }

export interface Timeline { actors: string[]; spans: Span[]; waits: Wait[] }

export interface Pipeline extends Timeline {
  stages: number; microBatches: number; bubble: Num; bubbleFormula: Num; firstStep: number; lastStep: number;
  shares: ActorShares[]; staleness: { actor: string; mean: Num; max: number }[];
}

export interface ActorRow {
  index: number; name: string; place: string; incarnation: number; mailbox: Num; dropped: Num; version: number;
  /** Why each of the faults cannot be brought about, in their order; empty where it can. */
  refused: string[];
}

/** Sender and receiver by their index. */
export interface LinkRow { from: number; to: number; messages: number; bytes: number; lost: number }

export interface HandFault { name: string; words: string; needsPeer: boolean }

export interface Actors { actors: ActorRow[]; links: LinkRow[]; faults: HandFault[] }

export interface StudySeries {
  method: string; hiddenLayers: string; condition: string; seed: string; rows: string;
  step: number[]; seconds: Num[]; loss: Num[]; accuracy: Num[];
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Study { study: { [key: string]: Json }; curves: StudySeries[]; timelines: { [key: string]: Json } | null }
