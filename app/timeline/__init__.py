"""The timeline view: a bounded model, a pure time/pixel mapping, and the widget that paints them."""
