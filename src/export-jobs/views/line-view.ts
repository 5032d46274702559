/** Where a job stands in the line of its target. Instants are epoch ms by the clock of the database. */
export interface Place {
  /** 1 when its next waiting slice is the next to start, 2 when one slice starts before it, … */
  position: number;
  /** When its next waiting slice is expected to start; absent while nothing has run at the target yet. */
  estimatedStartAt?: number;
  /** When its last waiting slice is expected to end. */
  estimatedEndAt?: number;
}

/** What a job that is not accepted yet would meet in the line. */
export interface LineEstimate {
  /** Slices that would start before its first. */
  slicesAhead: number;
  estimatedStartAt?: number;
  estimatedEndAt?: number;
}

/** One caller's line at a priority: how many of its slices wait, and how many of these are ready. */
export interface LineDepth {
  priority: number;
  caller: string;
  waiting: number;
  ready: number;
}

/** The line in front of each slot, as it is told to callers. */
export interface LineView {
  /** Where the job's next waiting slice stands; `undefined` when none of its slices waits. */
  placeOf(job: {
    id: string;
    target: string;
    caller: string;
    priority: number;
  }): Promise<Place | undefined>;
  depthOf(target: string): Promise<LineDepth[]>;
  /** What a job of so many slices, accepted now, would meet. */
  estimate(target: string, slices: number, priority: number, caller: string): Promise<LineEstimate>;
}
