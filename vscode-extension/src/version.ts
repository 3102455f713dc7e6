/** Extension and server are released together. */

/** What to tell the user where the two are not of one version; undefined where they are. */
export function versionAdvice(own: string, server: string | undefined): string | undefined {
  if (server === undefined || server === own) {
    return undefined;
  }
  return (
    `The extension is Personalizer ${own}, the program ${server}: ` +
    "they may misunderstand each other, please install the same version."
  );
}
