UPDATE credential SET refused = 'The OAuth client was not found.', refused_by = 'client';
