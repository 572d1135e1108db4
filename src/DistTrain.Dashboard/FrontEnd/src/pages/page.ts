/** A page: what it shows, and how it ends. */
export interface Page { title: string; element: HTMLElement; dispose(): void }
