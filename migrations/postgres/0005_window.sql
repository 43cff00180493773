ALTER TABLE ticket ADD COLUMN window_warned BIGINT; -- end of the reply window that its officials were warned of. Written by sla
