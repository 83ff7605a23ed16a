/** The action menu of rows and page headers. */
import type { ReactElement } from 'react';
import { Menu, MenuItem, MenuTrigger, Popover, Separator } from 'react-aria-components';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';
import type { IconName } from './icon.tsx';

export interface MenuAction {
  readonly id: string;
  readonly label: string;
  readonly icon: IconName;
  readonly isDanger?: boolean;
  readonly isDisabled?: boolean;
  /** Draws a line above. */
  readonly startsGroup?: boolean;
  readonly run: () => void;
}

export interface ActionMenuProps {
  readonly label: string;
  readonly actions: readonly MenuAction[];
  readonly size?: 'small';
}

export function ActionMenu({ label, actions, size }: ActionMenuProps): ReactElement {
  return (
    <MenuTrigger>
      <Button icon="more" label={label} variant="ghost" {...(size === undefined ? {} : { size })} />
      <Popover className="popover" placement="bottom end" offset={4}>
        <Menu
          className="menu"
          aria-label={label}
          onAction={(key) => actions.find((action) => action.id === key)?.run()}
        >
          {actions.flatMap((action) => [
            ...(action.startsGroup === true
              ? [<Separator key={`${action.id}-line`} className="menu-separator" />]
              : []),
            <MenuItem
              key={action.id}
              id={action.id}
              textValue={action.label}
              className="menu-item"
              isDisabled={action.isDisabled ?? false}
              {...(action.isDanger === true ? { 'data-danger': '' } : {})}
            >
              <Icon name={action.icon} size={16} />
              {action.label}
            </MenuItem>,
          ])}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
