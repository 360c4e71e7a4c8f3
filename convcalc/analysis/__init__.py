"""From a graph to numbers: metrics, conventions, receptive fields, the report. Nothing here prints."""
