package example.ledger.time;

import static example.ledger.testing.LedgerAssertions.assertFails;
import static example.ledger.testing.Values.day;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DateRangeTest {

    private final DateRange march = DateRange.of("2024-03-01", "2024-03-31");

    @Test
    void of_failsWhenTheLastDayComesFirst() {
        assertFails(
                IllegalArgumentException.class,
                "not before",
                () -> DateRange.of("2024-03-02", "2024-03-01"));
    }

    @Test
    void ofMonth_endsOnALeapDay() {
        DateRange actual = DateRange.ofMonth(2024, 2);

        assertEquals(DateRange.of("2024-02-01", "2024-02-29"), actual);
    }

    @Test
    void days_countsBothEnds() {
        long actual = march.days();

        assertEquals(31, actual);
    }

    @Test
    void contains_includesTheLastDay() {
        assertTrue(march.contains(day("2024-03-31")));
    }

    @Test
    void contains_isFalseForARangeThatSticksOut() {
        DateRange longer = DateRange.of("2024-03-15", "2024-04-01");

        assertFalse(march.contains(longer));
    }

    @Test
    void overlaps_isTrueForOneSharedDay() {
        DateRange later = DateRange.of("2024-03-31", "2024-04-30");

        assertTrue(march.overlaps(later));
    }
}
