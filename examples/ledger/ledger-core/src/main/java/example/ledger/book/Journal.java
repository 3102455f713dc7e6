package example.ledger.book;

import example.ledger.LedgerException;
import example.ledger.time.DateRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** All entries in the order in which they were made; they are numbered from one. */
public final class Journal {

    private final List<Entry> entries = new ArrayList<>();

    /** Adds an entry and returns its number. */
    public int append(Entry entry) {
        entries.add(entry);
        return entries.size();
    }

    /** Returns the entry of a number. */
    public Entry entry(int number) {
        if (number < 1 || number > entries.size()) {
            throw new LedgerException("no entry " + number);
        }
        return entries.get(number - 1);
    }

    /** Returns all entries. */
    public List<Entry> entries() {
        return List.copyOf(entries);
    }

    /** Returns the entries of a range of days. */
    public List<Entry> entries(DateRange range) {
        return entries.stream().filter(entry -> range.contains(entry.date())).toList();
    }

    /** Returns the entries that touch an account. */
    public List<Entry> entriesOf(AccountId account) {
        return entries.stream().filter(entry -> entry.touches(account)).toList();
    }

    /** Returns the entry with the latest date that touches an account; of a day, the last made. */
    public Optional<Entry> latestOf(AccountId account) {
        Entry latest = null;
        for (Entry entry : entriesOf(account)) {
            if (latest == null || !entry.date().isBefore(latest.date())) {
                latest = entry;
            }
        }
        return Optional.ofNullable(latest);
    }
}
