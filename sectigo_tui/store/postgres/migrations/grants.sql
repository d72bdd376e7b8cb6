-- Run after every migration, and by hand after a role was made: see docs/team.md.
do $$
begin
    if exists (select from pg_roles where rolname = 'sectigo_tui_reader') then
        grant usage on schema sectigo_tui to sectigo_tui_reader;
        grant select on all tables in schema sectigo_tui to sectigo_tui_reader;
    end if;
    if exists (select from pg_roles where rolname = 'sectigo_tui_writer') then
        grant usage on schema sectigo_tui to sectigo_tui_writer;
        grant select on all tables in schema sectigo_tui to sectigo_tui_writer;
        grant execute on all functions in schema sectigo_tui to sectigo_tui_writer;
    end if;
end $$;
