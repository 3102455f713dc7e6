package example.ledger.time;

import java.time.LocalDate;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** A value that changes on certain days and holds until it changes again. */
public final class Timeline<T> {

    private final NavigableMap<LocalDate, T> changes = new TreeMap<>();

    /** Sets the value from a day on; a later change stays. */
    public Timeline<T> set(LocalDate day, T value) {
        changes.put(day, value);
        return this;
    }

    /** Returns the value that holds on a day; nothing before the first change. */
    public Optional<T> at(LocalDate day) {
        return Optional.ofNullable(changes.floorEntry(day)).map(entry -> entry.getValue());
    }
}
