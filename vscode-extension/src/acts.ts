/** What the buttons of the status view ask for. */

export interface Act {
  readonly act: "use" | "rollback" | "train" | "cancel";
  readonly adapter: string | null;
}

const ACTS: readonly string[] = ["use", "rollback", "train", "cancel"];

/** A message from the panel as an act; undefined where it is none. */
export function actOf(message: unknown): Act | undefined {
  if (typeof message !== "object" || message === null || !("act" in message)) {
    return undefined;
  }
  const { act } = message;
  const adapter = "adapter" in message ? message.adapter : null;
  if (typeof act !== "string" || !ACTS.includes(act)) {
    return undefined;
  }
  if (adapter !== null && typeof adapter !== "string") {
    return undefined;
  }
  return { act: act as Act["act"], adapter };
}
