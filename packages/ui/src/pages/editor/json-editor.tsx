/**
 * The JSON side of the editor (CodeMirror, in a chunk of its own). Text that parses is passed on;
 * the document from outside replaces the text only when it says something else, so that the cursor
 * and the reader's own spacing stay.
 */
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language';
import { linter, lintGutter } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import type { ReactElement } from 'react';
import type { JsonObject } from '@dcos/base';
import { formatDefinition, parseDefinition, sameDocument } from '../../model/app-json.ts';

export interface JsonEditorProps {
  readonly definition: JsonObject;
  readonly onChange: (definition: JsonObject) => void;
  readonly onSyntaxError: (message: string | undefined) => void;
}

export function JsonEditor({ definition, onChange, onSyntaxError }: JsonEditorProps): ReactElement {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const isReplacing = useRef(false);
  const handlers = useRef({ onChange, onSyntaxError });
  handlers.current = { onChange, onSyntaxError };
  const initial = useRef(definition);

  useEffect(() => {
    if (host.current === null) return undefined;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: formatDefinition(initial.current),
        extensions: [
          ...EXTENSIONS,
          EditorView.updateListener.of((update) => {
            if (!update.docChanged || isReplacing.current) return;
            const parsed = parseDefinition(update.state.doc.toString());
            handlers.current.onSyntaxError(parsed.ok ? undefined : parsed.message);
            if (parsed.ok) handlers.current.onChange(parsed.value);
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = undefined;
      handlers.current.onSyntaxError(undefined);
    };
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined) return;
    const parsed = parseDefinition(editor.state.doc.toString());
    if (!parsed.ok || sameDocument(parsed.value, definition)) return;
    isReplacing.current = true;
    editor.dispatch({
      changes: { from: 0, to: editor.state.doc.length, insert: formatDefinition(definition) },
    });
    isReplacing.current = false;
  }, [definition]);

  return <div className="editor-host" ref={host} />;
}

const HIGHLIGHT = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: tags.number, color: 'var(--busy)' },
  { tag: [tags.bool, tags.null], color: 'var(--warn)' },
  { tag: tags.punctuation, color: 'var(--text-muted)' },
]);

const THEME = EditorView.theme({
  '&': { backgroundColor: 'var(--log-surface)', color: 'var(--text)', fontSize: '12.5px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.65' },
  '.cm-content': { padding: '10px 0', caretColor: 'var(--accent)' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)' },
  '.cm-gutters': {
    backgroundColor: 'var(--log-surface)',
    color: 'var(--text-faint)',
    border: 'none',
  },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--surface-hover)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground':
    { background: 'color-mix(in srgb, var(--accent) 26%, transparent)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--surface)',
    border: '1px solid var(--line)',
    color: 'var(--text)',
  },
});

const EXTENSIONS = [
  lineNumbers(),
  history(),
  drawSelection(),
  indentOnInput(),
  indentUnit.of('  '),
  bracketMatching(),
  highlightActiveLine(),
  json(),
  linter(jsonParseLinter(), { delay: 300 }),
  lintGutter(),
  syntaxHighlighting(HIGHLIGHT),
  keymap.of([...defaultKeymap, ...historyKeymap]),
  THEME,
  EditorView.contentAttributes.of({ 'aria-label': 'Definition as JSON' }),
];
