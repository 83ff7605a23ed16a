/** The head of every page: breadcrumb or title, actions, tabs. Fixed heights, so that nothing jumps. */
import { useEffect } from 'react';
import type { ReactElement, ReactNode } from 'react';

export interface PageFrameProps {
  /** The browser's title. */
  readonly title: string;
  /** Shown instead of the title: a breadcrumb with a status. */
  readonly heading?: ReactNode;
  readonly actions?: ReactNode;
  readonly tabs?: ReactNode;
  readonly children: ReactNode;
  /** The page draws its own padding. */
  readonly isBare?: boolean;
}

export function PageFrame(props: PageFrameProps): ReactElement {
  const { title, heading, actions, tabs, children, isBare = false } = props;
  useEffect(() => {
    document.title = `${title} · DC/OS`;
  }, [title]);
  return (
    <main className="main">
      <header className="page-header">
        <div className="page-bar">
          <div className="page-heading">{heading ?? <h1>{title}</h1>}</div>
          <div className="page-actions">{actions}</div>
        </div>
        {tabs === undefined ? null : <div className="tabs">{tabs}</div>}
      </header>
      {isBare ? children : <div className="page">{children}</div>}
    </main>
  );
}
