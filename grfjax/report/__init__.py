"""What people read: tables, figures, pages, annotated videos."""
