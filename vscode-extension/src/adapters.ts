/** Adapters as a list to pick from. */

export interface Adapter {
  readonly id: string;
  readonly gate: string;
  readonly trained_at: string;
  readonly base_loss: number | null;
  readonly adapter_loss: number | null;
}

export interface Adapters {
  /** An id, or `base`. */
  readonly serving: string;
  /** The newest first. */
  readonly adapters: readonly Adapter[];
}

export interface Choice {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  readonly adapter: string;
}

/** The adapters that may be switched to, and the base. */
export function choices(known: Adapters): Choice[] {
  const rows = known.adapters.map((one) => ({
    label: one.id,
    description: one.gate,
    detail: detailOf(one),
    adapter: one.id,
  }));
  const base = {
    label: "base",
    description: "",
    detail: "The base model alone, without an adapter.",
    adapter: "base",
  };
  return [...rows, base].filter((one) => one.adapter !== known.serving);
}

function detailOf(one: Adapter): string {
  const trained = `Trained ${one.trained_at.slice(0, 10)}`;
  if (one.base_loss === null || one.adapter_loss === null) {
    return trained;
  }
  return `${trained}; loss ${one.base_loss.toFixed(3)} base, ${one.adapter_loss.toFixed(3)} adapter`;
}
