/** The editor's settings in the server's form. */

/** `get("codeLens.enable")` of the section `personalizer`. */
export type Get = (key: string) => unknown;

const KEYS = {
  generateTest: ["enable", "candidates", "adapter", "run", "choose", "show"],
  generateSnippet: ["enable", "adapter", "run"],
  inlineCompletion: ["enable", "automatic"],
  codeLens: ["enable"],
  navigation: ["enable"],
  training: ["enable", "method", "budget"],
  status: ["enable"],
  adapters: ["enable"],
} as const;

/** Every setting that the server knows, as `group.name`. */
export const SERVER_SETTINGS: readonly string[] = Object.entries(KEYS).flatMap(([group, names]) =>
  names.map((name) => `${group}.${name}`),
);

export type ServerSettings = Record<string, Record<string, unknown>>;

/**
 * What the server is told.
 *
 * @param get - Reads the editor's setting.
 * @param trusted - In a folder that is not trusted nothing is trained, and nothing is run.
 */
export function serverSettings(get: Get, trusted: boolean): ServerSettings {
  const settings: ServerSettings = Object.fromEntries(
    Object.entries(KEYS).map(([group, names]) => [
      group,
      Object.fromEntries(
        names
          .map((name): [string, unknown] => [name, get(`${group}.${name}`)])
          .filter(([, value]) => value !== undefined),
      ),
    ]),
  );
  settings.workspace = { trusted };
  if (!trusted) {
    settings.training = { ...settings.training, enable: false };
    settings.generateTest = { ...settings.generateTest, run: false };
    settings.generateSnippet = { ...settings.generateSnippet, run: false };
  }
  return settings;
}
