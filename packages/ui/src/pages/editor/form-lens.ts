/** What every section of the form gets, and the short way to write one member. */
import type { JsonObject, JsonValue } from '@dcos/base';
import type { FieldFault } from '../../api/http.ts';
import { setIn } from '../../model/app-json.ts';
import type { JsonPath } from '../../model/app-json.ts';
import { faultAt } from '../../model/form-faults.ts';

export interface SectionProps {
  readonly definition: JsonObject;
  readonly onChange: (definition: JsonObject) => void;
  readonly faults: readonly FieldFault[];
  readonly isExisting: boolean;
}

export interface Lens {
  readonly set: (path: JsonPath, value: JsonValue | undefined) => void;
  readonly fault: (path: JsonPath) => string | undefined;
}

export function lensOf({ definition, onChange, faults }: SectionProps): Lens {
  return {
    set: (path, value) => onChange(setIn(definition, path, value)),
    fault: (path) => faultAt(faults, path),
  };
}

/** Empty text removes the member. */
export function optional(text: string): string | undefined {
  return text === '' ? undefined : text;
}
