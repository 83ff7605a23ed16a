/** Buttons: one component for all variants, with a tooltip where only an icon is shown. */
import type { ReactElement, ReactNode } from 'react';
import { Button as AriaButton, Tooltip, TooltipTrigger } from 'react-aria-components';
import { Icon } from './icon.tsx';
import type { IconName } from './icon.tsx';

export interface ButtonProps {
  readonly children?: ReactNode;
  readonly icon?: IconName;
  /** Name for screen readers, and the tooltip when there is no visible text. */
  readonly label?: string;
  readonly variant?: 'primary' | 'danger' | 'ghost';
  readonly size?: 'small';
  readonly isDisabled?: boolean;
  readonly isPressed?: boolean;
  readonly type?: 'button' | 'submit';
  readonly onPress?: () => void;
}

export function Button(props: ButtonProps): ReactElement {
  const {
    children,
    icon,
    label,
    variant,
    size,
    isDisabled = false,
    isPressed,
    type,
    onPress,
  } = props;
  const iconOnly = children === undefined;
  const button = (
    <AriaButton
      className="button"
      isDisabled={isDisabled}
      {...(label === undefined ? {} : { 'aria-label': label })}
      {...(isPressed === undefined ? {} : { 'aria-pressed': isPressed })}
      {...(variant === undefined ? {} : { 'data-variant': variant })}
      {...(size === undefined ? {} : { 'data-size': size })}
      {...(iconOnly ? { 'data-icon-only': '' } : {})}
      {...(type === undefined ? {} : { type })}
      {...(onPress === undefined ? {} : { onPress })}
    >
      {icon === undefined ? null : <Icon name={icon} size={size === 'small' ? 15 : 17} />}
      {children}
    </AriaButton>
  );
  if (!iconOnly || label === undefined) return button;
  return (
    <TooltipTrigger delay={500}>
      {button}
      <Tooltip className="tooltip" offset={6}>
        {label}
      </Tooltip>
    </TooltipTrigger>
  );
}
