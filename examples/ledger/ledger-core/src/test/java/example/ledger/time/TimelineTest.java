package example.ledger.time;

import static example.ledger.testing.Values.day;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class TimelineTest {

    private final Timeline<String> rates =
            new Timeline<String>().set(day("2024-01-01"), "2.0").set(day("2024-06-01"), "2.5");

    @Test
    void at_returnsTheLastChange() {
        Optional<String> actual = rates.at(day("2024-05-31"));

        assertEquals(Optional.of("2.0"), actual);
    }

    @Test
    void at_isEmptyBeforeTheFirstChange() {
        Optional<String> actual = rates.at(day("2023-12-31"));

        assertEquals(Optional.empty(), actual);
    }
}
