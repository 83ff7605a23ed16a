/** Ctrl-K or Cmd-K: one box that finds pages, services, nodes and actions. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, ReactElement } from 'react';
import { Dialog, Modal, ModalOverlay } from 'react-aria-components';
import { useServices, useStateSummary } from '../api/queries.ts';
import { Icon } from '../components/icon.tsx';
import { fuzzySort } from '../model/fuzzy.ts';
import { closeOverlay, openOverlay } from './overlays.ts';
import { paletteEntries } from './palette-entries.ts';
import type { PaletteEntry } from './palette-entries.ts';
import { nextTheme } from './theme.ts';

const ENTRIES_SHOWN_MAX = 50;

export function CommandPalette(): ReactElement {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(0);
  const entries = useEntries(text);
  const run = useRunEntry();
  const list = useRef<HTMLDivElement>(null);

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setChosen((at) => (at + step + entries.length) % Math.max(1, entries.length));
    }
    const entry = entries[chosen];
    if (event.key === 'Enter' && entry !== undefined) {
      event.preventDefault();
      run(entry);
    }
  };

  return (
    <ModalOverlay
      className="scrim"
      isOpen
      isDismissable
      onOpenChange={(isOpen) => {
        if (!isOpen) closeOverlay();
      }}
    >
      <Modal className="palette">
        <Dialog aria-label="Search and commands" style={{ outline: 'none' }}>
          <div className="palette-input">
            <Icon name="search" size={20} />
            <input
              autoFocus
              value={text}
              placeholder="Find a service, node or action"
              aria-label="Find a service, node or action"
              role="combobox"
              aria-expanded="true"
              aria-controls="palette-list"
              aria-activedescendant={`palette-${chosen}`}
              onChange={(event) => {
                setText(event.target.value);
                setChosen(0);
              }}
              onKeyDown={onKeyDown}
            />
            <kbd>Esc</kbd>
          </div>
          <div
            className="palette-list"
            id="palette-list"
            role="listbox"
            aria-label="Results"
            ref={list}
          >
            {entries.length === 0 ? (
              <p className="palette-group">Nothing matches “{text}”.</p>
            ) : null}
            {entries.map((entry, index) => (
              <PaletteRow
                key={entry.id}
                entry={entry}
                index={index}
                isChosen={index === chosen}
                startsGroup={entries[index - 1]?.group !== entry.group}
                onRun={() => run(entry)}
                onPoint={() => setChosen(index)}
              />
            ))}
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface PaletteRowProps {
  readonly entry: PaletteEntry;
  readonly index: number;
  readonly isChosen: boolean;
  readonly startsGroup: boolean;
  readonly onRun: () => void;
  readonly onPoint: () => void;
}

function PaletteRow(props: PaletteRowProps): ReactElement {
  const { entry, index, isChosen, startsGroup, onRun, onPoint } = props;
  return (
    <>
      {startsGroup ? (
        <div className="palette-group" role="presentation">
          {entry.group}
        </div>
      ) : null}
      <div
        className="palette-item"
        id={`palette-${index}`}
        role="option"
        aria-selected={isChosen}
        onClick={onRun}
        onMouseMove={onPoint}
      >
        <Icon name={entry.icon} />
        <span className="truncate">{entry.text}</span>
        {entry.hint === undefined ? null : <span className="palette-hint">{entry.hint}</span>}
      </div>
    </>
  );
}

function useEntries(text: string): readonly PaletteEntry[] {
  const { services } = useServices();
  const { data } = useStateSummary();
  const all = useMemo(() => paletteEntries(services, data?.slaves ?? []), [services, data]);
  return useMemo(() => {
    const found = fuzzySort(text, all, (entry) => entry.text);
    const shown = text.trim() === '' ? found.filter((entry) => entry.group !== 'Actions') : found;
    const limited = shown.slice(0, ENTRIES_SHOWN_MAX);
    // Entries of a group stand together, groups in the order of their best entry.
    const groups = [...new Set(limited.map((entry) => entry.group))];
    return groups.flatMap((group) => limited.filter((entry) => entry.group === group));
  }, [all, text]);
}

function useRunEntry(): (entry: PaletteEntry) => void {
  const navigate = useNavigate();
  return ({ target }) => {
    closeOverlay();
    switch (target.kind) {
      case 'page':
        void navigate({ to: target.to });
        break;
      case 'service':
        void navigate({
          to: '/services/detail/$appId',
          params: { appId: target.appId },
          search: target.tab === undefined ? {} : { tab: target.tab },
        });
        break;
      case 'action':
        openOverlay({ kind: 'service', action: target.action, appId: target.appId });
        break;
      case 'node':
        void navigate({ to: '/nodes/$agentId', params: { agentId: target.agentId } });
        break;
      case 'theme':
        nextTheme();
        break;
      case 'help':
        openOverlay({ kind: 'help' });
        break;
    }
  };
}
