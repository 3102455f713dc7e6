package example.ledger.time;

import java.time.LocalDate;
import java.time.YearMonth;
import java.time.temporal.ChronoUnit;

/** The days from a first to a last one, both included. */
public record DateRange(LocalDate first, LocalDate last) {

    public DateRange {
        if (last.isBefore(first)) {
            throw new IllegalArgumentException("expected " + last + " not before " + first);
        }
    }

    /** Reads two ISO dates such as {@code "2024-03-01"}. */
    public static DateRange of(String first, String last) {
        return new DateRange(LocalDate.parse(first), LocalDate.parse(last));
    }

    /** Returns all days of a month. */
    public static DateRange ofMonth(int year, int month) {
        YearMonth days = YearMonth.of(year, month);
        return new DateRange(days.atDay(1), days.atEndOfMonth());
    }

    /** Counts the days. */
    public long days() {
        return ChronoUnit.DAYS.between(first, last) + 1;
    }

    /** Says whether a day lies in this range. */
    public boolean contains(LocalDate day) {
        return !day.isBefore(first) && !day.isAfter(last);
    }

    /** Says whether all days of another range lie in this one. */
    public boolean contains(DateRange other) {
        return contains(other.first) && contains(other.last);
    }

    /** Says whether two ranges share a day. */
    public boolean overlaps(DateRange other) {
        return !other.last.isBefore(first) && !other.first.isAfter(last);
    }

    /** Counts the days that lie between two ranges; zero when they touch or overlap. */
    public long gapTo(DateRange other) {
        if (overlaps(other)) {
            return 0;
        }
        if (last.isBefore(other.first)) {
            return ChronoUnit.DAYS.between(last, other.first) - 1;
        }
        return ChronoUnit.DAYS.between(other.last, first) - 1;
    }
}
