"""The only part that may leave the building: tables with small counts hidden, figures, report, rate book, manifest."""
