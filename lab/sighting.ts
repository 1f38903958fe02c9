/** Something seen on the wire; `at` is the host's clock in milliseconds. */
export type Sighting =
  | { readonly at: number; readonly kind: 'answer' | 'announcement'; readonly mac: string }
  | { readonly at: number; readonly kind: 'advert'; readonly mac: string; readonly source: string; readonly virtualRouterId: number; readonly priority: number };
