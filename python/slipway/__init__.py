"""slipway: from course notes to native speed."""
