// A browser starts no worker from a file. The search of a manual that is opened as a file runs in a hidden frame
// instead, which answers to the part of Worker's interface that the search uses.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.appendChild(this.frame);
      const inner = this.frame.contentWindow;
      const script = inner.document.createElement("script");
      script.src = new URL(url, location.href).href;
      script.onload = () => {
        // Set after loading: messages of the frame go to the page, not to the frame itself.
        inner.postMessage = (data) => this.receive(data);
        const waiting = this.waiting;
        this.waiting = null;
        waiting.forEach((data) => this.postMessage(data));
      };
      script.onerror = () => this.onerror?.(new Event("error"));
      inner.document.body.appendChild(script);
    }

    receive(data) {
      setTimeout(() => {
        const event = new MessageEvent("message", { data });
        this.onmessage?.(event);
        this.dispatchEvent(event);
      });
    }

    postMessage(data) {
      if (this.waiting) {
        this.waiting.push(data);
      } else if (this.frame) {
        this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
      }
    }

    terminate() {
      this.frame?.remove();
      this.frame = null;
    }
  };
}
