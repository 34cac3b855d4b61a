"""Mail: messages, folders, contacts and appointments, of whatever program keeps them."""
