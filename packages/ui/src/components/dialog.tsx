/** Modal dialogs: focus stays inside, Escape closes, the safe choice has the focus first. */
import type { FormEvent, ReactElement, ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Button } from './button.tsx';

export interface DialogProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly footer?: ReactNode;
  readonly isWide?: boolean;
  readonly onClose: () => void;
  /** Makes the dialog a form. */
  readonly onSubmit?: () => void;
}

export function Dialog(props: DialogProps): ReactElement {
  const { title, children, footer, isWide = false, onClose, onSubmit } = props;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit?.();
  };
  return (
    <ModalOverlay
      className="scrim"
      isOpen
      isDismissable
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
    >
      <Modal className="dialog" {...(isWide ? { 'data-wide': '' } : {})}>
        <AriaDialog style={{ outline: 'none' }}>
          <form onSubmit={submit}>
            <div className="dialog-body">
              <Heading slot="title" level={2}>
                {title}
              </Heading>
              {children}
            </div>
            <div className="dialog-foot">
              {footer ?? (
                <Button onPress={onClose} variant="ghost">
                  Close
                </Button>
              )}
            </div>
          </form>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
