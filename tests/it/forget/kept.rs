//! Whatever happened, no figure changes when somebody is erased or retention is over, and nothing comes back when all is read again.
