/** The search box of the services with its filter chips; all of it is one text, kept in the URL. */
import type { ReactElement } from 'react';
import { Button } from '../../components/button.tsx';
import { Icon } from '../../components/icon.tsx';
import { toggleToken } from '../../model/service-filter.ts';
import type { ServiceFilter } from '../../model/service-filter.ts';
import { healthVerdict, statusLabel } from '../../model/service-status.ts';
import type { ServiceStatus } from '../../model/service-status.ts';
import type { Service } from '../../model/service-tree.ts';

const STATUS_CHIPS: readonly ServiceStatus[] = [
  'running',
  'deploying',
  'waiting',
  'delayed',
  'recovering',
  'suspended',
];

export interface ServiceSearchProps {
  readonly text: string;
  readonly filter: ServiceFilter;
  readonly services: readonly Service[];
  readonly onChange: (text: string) => void;
}

export function ServiceSearch({
  text,
  filter,
  services,
  onChange,
}: ServiceSearchProps): ReactElement {
  return (
    <>
      <div className="toolbar">
        <div className="search">
          <Icon name="search" size={16} />
          <input
            className="input"
            data-page-search
            value={text}
            placeholder="Search by name, or is:waiting, has:volumes, label:team=web"
            aria-label="Search services"
            spellCheck={false}
            onChange={(event) => onChange(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Escape') return;
              onChange('');
              event.currentTarget.blur();
            }}
          />
          {text === '' ? (
            <kbd>/</kbd>
          ) : (
            <span className="search-clear">
              <Button
                icon="close"
                label="Clear"
                variant="ghost"
                size="small"
                onPress={() => onChange('')}
              />
            </span>
          )}
        </div>
      </div>
      <div className="filter-chips" role="group" aria-label="Filters">
        {STATUS_CHIPS.map((status) => (
          <FilterChip
            key={status}
            label={statusLabel(status)}
            count={services.filter((service) => service.status === status).length}
            isOn={filter.statuses.includes(status)}
            onToggle={() => onChange(toggleToken(text, `is:${status}`))}
          />
        ))}
        {(['healthy', 'unhealthy', 'unknown'] as const).map((health) => (
          <FilterChip
            key={health}
            label={
              health === 'unknown'
                ? 'Health unknown'
                : health === 'healthy'
                  ? 'Healthy'
                  : 'Unhealthy'
            }
            count={services.filter((service) => healthVerdict(service.app) === health).length}
            isOn={filter.healths.includes(health)}
            onToggle={() => onChange(toggleToken(text, `is:${health}`))}
          />
        ))}
      </div>
      {filter.unknown.length === 0 ? null : (
        <p className="field-hint" style={{ margin: '-4px 0 12px' }} role="status">
          Not understood and ignored: <code>{filter.unknown.join(' ')}</code>
        </p>
      )}
    </>
  );
}

interface FilterChipProps {
  readonly label: string;
  readonly count: number;
  readonly isOn: boolean;
  readonly onToggle: () => void;
}

function FilterChip({ label, count, isOn, onToggle }: FilterChipProps): ReactElement {
  return (
    <button type="button" className="filter-chip" aria-pressed={isOn} onClick={onToggle}>
      {label}
      <span className="num">{count}</span>
    </button>
  );
}
