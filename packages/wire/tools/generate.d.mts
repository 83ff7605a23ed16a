/** The generated files by name, as they have to stand in src/generated/. */
export function generate(): ReadonlyMap<string, string>;
