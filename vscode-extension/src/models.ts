/** Base models as a list to pick from. */

/** One of the `models` that `personalizer models list --json` prints. */
export interface Model {
  readonly name: string;
  readonly parameters: number;
  /** Of the files to fetch. */
  readonly bytes: number;
  readonly licence: string;
  /** It lies on this machine. */
  readonly here: boolean;
  /** Memory that a training takes, roughly. */
  readonly training_bytes: number;
  /** There is as much free now. */
  readonly fits: boolean;
}

export interface ModelChoice {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  readonly model: Model;
}

export function modelsOf(printed: string): Model[] {
  const { models } = JSON.parse(printed) as { models: Model[] };
  return models;
}

/** The known models, those that fit this machine first; the one in use bears a tick. */
export function modelChoices(models: readonly Model[], inUse: string | undefined): ModelChoice[] {
  const rows = models.map((model) => ({
    label: model.name === inUse ? `$(check) ${model.name}` : model.name,
    description: [spokenNumber(model.parameters), size(model.bytes), model.licence].join(", "),
    detail: [model.here ? "On this machine" : "To be fetched", fit(model)].join("; "),
    model,
  }));
  return [...rows.filter((row) => row.model.fits), ...rows.filter((row) => !row.model.fits)];
}

function fit(model: Model): string {
  const memory = size(model.training_bytes);
  return model.fits
    ? `training takes some ${memory} of memory, which is free`
    : `training takes some ${memory} of memory, more than is free`;
}

/** `7.2 M parameters`, `1.5 B parameters`. */
function spokenNumber(parameters: number): string {
  const [count, unit] = parameters < 1e9 ? [parameters / 1e6, "M"] : [parameters / 1e9, "B"];
  return `${count < 10 ? count.toFixed(1) : count.toFixed(0)} ${unit} parameters`;
}

/** A size as people say it: `14 MB`, `3.1 GB`. */
export function size(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
