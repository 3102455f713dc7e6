/** The adapter's status as the status bar shows it. */

export interface Job {
  readonly id: string;
  readonly state: "queued" | "running" | "done" | "failed" | "cancelled";
  readonly progress?: Progress | null;
}

export interface Progress {
  readonly phase: string;
  readonly step: number;
  /** 0 while unknown. */
  readonly steps: number;
  readonly seconds_left?: number | null;
}

/** What `personalizer/statusChanged` brings. */
export interface Status {
  /** URI of the workspace folder. */
  readonly workspace: string;
  readonly adapter: string | null;
  readonly method?: string | null;
  /** Null where nothing can be written: the adapter that should serve is damaged. */
  readonly base?: string | null;
  /** Why it is as fresh as it is, or why none serves. */
  readonly why?: string | null;
  readonly freshness: "fresh" | "ageing" | "stale" | "none";
  readonly pairs?: Readonly<Record<string, number>>;
  readonly commits_behind?: number | null;
  readonly trained_at?: string | null;
  readonly job?: Job | null;
  /** Differs whenever a pair of the project does. */
  readonly contents?: string | null;
  readonly retraining?: Retraining | null;
}

/** The adapter should be trained anew. */
export interface Retraining {
  /** Whether the user is asked, or it begins by itself. */
  readonly mode: "ask" | "on";
  readonly why: string;
  readonly waits_for: string | null;
}

export type ServerState = "starting" | "running" | "stopped";

export interface View {
  readonly text: string;
  /** Lines. */
  readonly tooltip: readonly string[];
  readonly warning: boolean;
}

/** What to show for a server and the status of the folder at hand. */
export function view(server: ServerState, status: Status | undefined): View {
  if (server === "stopped") {
    const tooltip = ["The language server does not run.", "Click to start it again."];
    return { text: "$(error) Personalizer", tooltip, warning: true };
  }
  if (server === "starting") {
    return { text: "$(loading~spin) Personalizer", tooltip: ["Starting."], warning: false };
  }
  if (status === undefined) {
    const tooltip = ["No status yet. Click to ask for it."];
    return { text: "$(circle-outline) Personalizer", tooltip, warning: false };
  }
  if (trains(status)) {
    const text = `$(sync~spin) ${trainingText(status.job?.progress)}`;
    return { text, tooltip: tooltipOf(status), warning: false };
  }
  if (status.base === null) {
    return { text: "$(error) Adapter damaged", tooltip: tooltipOf(status), warning: true };
  }
  if (status.freshness === "none" || status.adapter === null) {
    return { text: "$(circle-outline) No adapter", tooltip: tooltipOf(status), warning: false };
  }
  const icon = { fresh: "$(check)", ageing: "$(history)", stale: "$(warning)" }[status.freshness];
  return {
    text: `${icon} Adapter ${status.freshness}`,
    tooltip: tooltipOf(status),
    warning: status.freshness === "stale",
  };
}

export function trains(status: Status): boolean {
  return status.job?.state === "running" || status.job?.state === "queued";
}

function trainingText(progress: Progress | null | undefined): string {
  if (!progress) {
    return "Training";
  }
  const percent =
    progress.steps > 0 ? ` ${Math.floor((100 * progress.step) / progress.steps)} %` : "";
  const left = progress.seconds_left;
  const does = { wait: "Waiting", judge: "Judging", gate: "Judging" }[progress.phase] ?? "Training";
  return `${does}${percent}${left == null ? "" : `, ${spoken(left)} left`}`;
}

/** A time as people say it: `40 s`, `3 min`, `1 h 20 min`. */
export function spoken(seconds: number): string {
  if (seconds < 60) {
    return `${Math.ceil(seconds)} s`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function tooltipOf(status: Status): string[] {
  const pairs = status.pairs ?? {};
  if (status.adapter === null) {
    const writes = status.base === null ? "Nothing can be written." : "The base model writes.";
    return [sentence(status.why ?? "no adapter is trained yet"), writes];
  }
  const since = ["changed", "new", "removed"]
    .filter((kind) => (pairs[kind] ?? 0) > 0)
    .map((kind) => `${pairs[kind] ?? 0} ${kind}`);
  const lines = [
    `Adapter ${status.adapter} (${status.method ?? "?"} on ${status.base ?? "?"})`,
    `Trained on ${pairs.trained ?? 0} pairs${since.length > 0 ? `; since then ${since.join(", ")}` : ""}`,
  ];
  if (status.commits_behind) {
    lines.push(`${status.commits_behind} commit${status.commits_behind > 1 ? "s" : ""} behind`);
  }
  if (status.trained_at) {
    lines.push(`Trained ${status.trained_at.slice(0, 10)}`);
  }
  return lines;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
