// What the card uses of its host. Written by hand, since @anywidget/types pulls in all of
// @jupyter-widgets/base; everything a host other than JupyterLab may lack is optional.

/** The table of words that `join` of widget.py puts before the parts. */
declare const WORDS: typeof import("../../cometvid_nb/cards/words.json");

/** The style sheet record.css, which display/record.py puts before the parts of a record. */
declare const RECORD_STYLE: string;

/** A Lumino signal, as far as the card uses one. */
interface LuminoSignal {
  connect?(slot: (sender: unknown, status: string) => void): unknown;
  disconnect?(slot: (sender: unknown, status: string) => void): unknown;
}

/** The model anywidget 0.11 hands to `render` (its model-proxy.ts). */
interface CometvidModel {
  get(name: "card" | "gallery" | "jobs" | "record_token" | "pull_every_s"): unknown;
  set(name: "gallery", value: unknown): void;
  send(content: object): void;
  on(name: string, callback: (...args: any[]) => void): void;
  off(name: string, callback: (...args: any[]) => void): void;
  widget_manager?: {
    resolveUrl?(path: string): Promise<string>;
    context?: { model?: { collaborative?: boolean } }; // JupyterLab's and Notebook 7's
    kernel?: {
      disposed?: LuminoSignal;
      statusChanged?: LuminoSignal;
      connectionStatusChanged?: LuminoSignal;
    } | null;
  };
}
