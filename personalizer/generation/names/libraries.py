"""Names that Java's own library and the usual test libraries give, and the types that hold them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "ASSERTIONS",
    "FLAVOURS",
    "HEIRS",
    "JAVA_LANG",
    "STATIC_NAMES",
    "TEST_CASE",
    "TEST_CASE_METHODS",
    "TEST_PACKAGES",
    "TYPES",
    "Flavour",
]

_IN_JAVA_LANG = """
AbstractMethodError Appendable ArithmeticException ArrayIndexOutOfBoundsException
ArrayStoreException AssertionError AutoCloseable Boolean Byte CharSequence Character Class
ClassCastException ClassLoader ClassNotFoundException CloneNotSupportedException Cloneable
Comparable Deprecated Double Enum Error Exception ExceptionInInitializerError Float
FunctionalInterface IllegalAccessException IllegalArgumentException
IllegalMonitorStateException IllegalStateException IndexOutOfBoundsException
InheritableThreadLocal InstantiationException Integer InternalError InterruptedException
Iterable LinkageError Long Math Module NegativeArraySizeException NoClassDefFoundError
NoSuchFieldException NoSuchMethodException NullPointerException Number NumberFormatException
Object OutOfMemoryError Override Process ProcessBuilder ProcessHandle Readable Record
ReflectiveOperationException Runnable Runtime RuntimeException SafeVarargs SecurityException
Short StackOverflowError StackTraceElement StackWalker StrictMath String StringBuffer
StringBuilder StringIndexOutOfBoundsException SuppressWarnings System Thread ThreadGroup
ThreadLocal Throwable UnsupportedOperationException VirtualMachineError Void
"""
JAVA_LANG = frozenset(_IN_JAVA_LANG.split())


def _table(rows: Mapping[str, str]) -> dict[str, str]:
    """From "owner: names" to "name: owner.name"; the first owner of a name keeps it."""
    found: dict[str, str] = {}
    for owner, names in rows.items():
        for name in names.split():
            found.setdefault(name, f"{owner}.{name}")
    return found


def _parameters(rows: str, *, message_first: bool) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """From lines of "names: parameters; parameters", each with a message beside or without."""
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for row in rows.strip().splitlines():
        names, _, told = row.partition(":")
        plain = [tuple(one.replace("?", "") for one in each.split()) for each in told.split(";")]
        with_message = (
            [("String", *one) for one in plain]
            if message_first
            else [(*one, message) for one in plain for message in ("String", "Supplier")]
        )
        found |= dict.fromkeys(names.split(), (*plain, *with_message))
    return found


TEST_CASE = "junit.framework.TestCase"
"""What JUnit 3's tests extend."""
TEST_CASE_METHODS = {
    **dict.fromkeys(("runBare", "runTest", "setUp", "tearDown"), (((), "void"),)),
    "countTestCases": (((), "int"),),
    "createResult": (((), "TestResult"),),
    "getName": (((), "String"),),
    "run": (((), "TestResult"), (("TestResult",), "void")),
    "setName": ((("String",), "void"),),
}
"""What it has beside assertions: parameters and results by name."""
_JUNIT3 = """
Assert AssertionFailedError ComparisonFailure JUnit4TestAdapter JUnit4TestAdapterCache
JUnit4TestCaseFacade Protectable Test TestCase TestFailure TestListener TestResult TestSuite
"""
TEST_PACKAGES = {"junit.framework": frozenset(_JUNIT3.split())}
"""Packages all of whose types are known."""
_JUNIT4, _JUNIT5 = "org.junit.Assert", "org.junit.jupiter.api.Assertions"
_SAME = """
assertEquals assertNotEquals: Object Object; double double double
assertNotNull assertNull: Object
assertNotSame assertSame: Object Object
assertArrayEquals: ? ?; ? ? ?
"""
ASSERTIONS: Mapping[str, Mapping[str, tuple[tuple[str, ...], ...]]] = {
    _JUNIT4: {
        **_parameters(_SAME, message_first=True),
        **_parameters(
            """
assertFalse assertTrue: boolean
assertThat: ? ?
assertThrows: Class ThrowingRunnable
""",
            message_first=True,
        ),
        "fail": ((), ("String",)),
    },
    _JUNIT5: {
        **_parameters(_SAME, message_first=False),
        **_parameters(
            """
assertFalse assertTrue: boolean; BooleanSupplier
assertAll: ?...
assertDoesNotThrow: ?
assertInstanceOf: Class Object
assertIterableEquals: Iterable Iterable
assertLinesMatch: ? ?
assertThrows assertThrowsExactly: Class Executable
assertTimeout assertTimeoutPreemptively: Duration ?
""",
            message_first=False,
        ),
        "fail": ((), ("String",), ("Throwable",), ("Supplier",), ("String", "Throwable")),
    },
    TEST_CASE: {
        **_parameters(
            """
assertEquals: Object Object; double double double
assertFalse assertTrue: boolean
assertNotNull assertNull: Object
assertNotSame assertSame: Object Object
""",
            message_first=True,
        ),
        "fail": ((), ("String",)),
        "failSame": (("String",),),
        "failNotSame": (("String", "Object", "Object"),),
        "failNotEquals": (("String", "Object", "Object"),),
        "format": (("String", "Object", "Object"),),
    },
}
"""What JUnit's assertions take, by class and name: types as ``Signature`` tells them."""


class Flavour:
    """One test framework: how its files are known and what it names."""

    def __init__(self, marks: tuple[str, ...], types: dict[str, str], statics: dict[str, str]):
        self.marks = marks
        """Beginnings of imports that only its tests have."""
        self.types = _table(types)
        """Full name by simple name."""
        self.statics = _table(statics)
        """Full name by method name."""


FLAVOURS: Mapping[str, Flavour] = {
    "junit5": Flavour(
        ("org.junit.jupiter",),
        {
            "org.junit.jupiter.api": "AfterAll AfterEach Assertions Assumptions BeforeAll "
            "BeforeEach Disabled DisplayName DynamicTest Nested Order RepeatedTest RepetitionInfo "
            "Tag Tags Test TestFactory TestInfo TestInstance TestMethodOrder TestReporter "
            "TestTemplate Timeout",
            "org.junit.jupiter.api.condition": "DisabledIf DisabledOnJre DisabledOnOs EnabledIf "
            "EnabledOnJre EnabledOnOs JRE OS",
            "org.junit.jupiter.api.extension": "ExtendWith RegisterExtension",
            "org.junit.jupiter.api.function": "Executable",
            "org.junit.jupiter.api.io": "TempDir",
            "org.junit.jupiter.params": "ParameterizedTest",
            "org.junit.jupiter.params.aggregator": "AggregateWith ArgumentsAccessor",
            "org.junit.jupiter.params.converter": "ConvertWith JavaTimeConversionPattern",
            "org.junit.jupiter.params.provider": "Arguments ArgumentsSource CsvFileSource "
            "CsvSource EmptySource EnumSource MethodSource NullAndEmptySource NullSource "
            "ValueSource",
        },
        {
            _JUNIT5: " ".join(ASSERTIONS[_JUNIT5]),
            "org.junit.jupiter.api.Assumptions": "assumeFalse assumeTrue assumingThat",
            "org.junit.jupiter.api.DynamicTest": "dynamicTest",
        },
    ),
    "testng": Flavour(
        ("org.testng",),
        {
            "org.testng.annotations": "AfterClass AfterMethod AfterSuite AfterTest BeforeClass "
            "BeforeMethod BeforeSuite BeforeTest DataProvider Factory Listeners Test",
            "org.testng": "Assert SkipException",
        },
        {
            "org.testng.Assert": "assertEquals assertEqualsNoOrder assertFalse assertNotEquals "
            "assertNotNull assertNotSame assertNull assertSame assertThrows assertTrue "
            "expectThrows fail",
        },
    ),
    "junit4": Flavour(
        (
            "org.junit.Test",
            "org.junit.Assert",
            "org.junit.Before",
            "org.junit.After",
            "org.junit.Rule",
            "org.junit.Ignore",
            "org.junit.runner",
            "org.junit.rules",
            "org.junit.runners",
            "org.junit.experimental",
        ),
        {
            "org.junit": "After AfterClass Assert Assume Before BeforeClass ClassRule "
            "FixMethodOrder Ignore Rule Test",
            "org.junit.rules": "ErrorCollector ExpectedException TemporaryFolder TestName Timeout",
            "org.junit.runner": "RunWith",
            "org.junit.runners": "JUnit4 Parameterized",
        },
        {
            _JUNIT4: " ".join(ASSERTIONS[_JUNIT4].keys() - {"assertThat"}),  # deprecated there
            "org.junit.Assume": "assumeFalse assumeNoException assumeNotNull assumeTrue",
        },
    ),
    "junit3": Flavour(
        ("junit.framework",),
        {"junit.framework": "Assert AssertionFailedError TestCase TestResult TestSuite"},
        {},
    ),
}
"""In the order in which a file's imports are judged: a JUnit 5 file may hold older helpers."""

TYPES: Mapping[str, str] = _table(
    {
        "org.mockito": "ArgumentCaptor ArgumentMatchers Captor InOrder InjectMocks Mock "
        "MockedStatic Mockito MockitoAnnotations Spy",
        "org.mockito.junit.jupiter": "MockitoExtension",
        "org.mockito.junit": "MockitoJUnitRunner",
        "org.hamcrest": "CoreMatchers MatcherAssert Matchers",
    }
)
"""Full name by simple name, of libraries that tests use; Java's own: ``java_imports``."""

STATIC_NAMES: Mapping[str, str] = _table(
    {
        "org.mockito.Mockito": "atLeast atLeastOnce atMost doAnswer doCallRealMethod doNothing "
        "doReturn doThrow inOrder mock mockStatic never reset spy times verify "
        "verifyNoInteractions verifyNoMoreInteractions when",
        "org.mockito.ArgumentMatchers": "any anyBoolean anyDouble anyInt anyList anyLong anyMap "
        "anySet anyString argThat eq isNull notNull",
        "org.assertj.core.api.Assertions": "assertThat assertThatCode assertThatExceptionOfType "
        "assertThatIllegalArgumentException assertThatIllegalStateException "
        "assertThatNullPointerException assertThatNoException assertThatThrownBy catchThrowable "
        "entry tuple within",
        "org.hamcrest.Matchers": "allOf anyOf closeTo contains containsInAnyOrder containsString "
        "empty endsWith equalTo greaterThan greaterThanOrEqualTo hasEntry hasItem hasItems "
        "hasKey hasProperty hasSize hasToString instanceOf is lessThan lessThanOrEqualTo not "
        "notNullValue nullValue sameInstance startsWith",
        "java.util.Arrays": "asList",
        "java.util.Collections": "emptyList emptyMap emptySet singleton singletonList singletonMap",
        "java.util.stream.Collectors": "groupingBy joining toList toMap toSet",
        "java.nio.charset.StandardCharsets": "ISO_8859_1 US_ASCII UTF_16 UTF_8",
        "java.util.concurrent.TimeUnit": "DAYS HOURS MICROSECONDS MILLISECONDS MINUTES "
        "NANOSECONDS SECONDS",
    }
)
"""Full name by the name of a static method or constant."""

HEIRS: Mapping[str, str] = {"org.mockito.ArgumentMatchers": "org.mockito.Mockito"}
"""Classes whose static members another class inherits, so that its wildcard gives them too."""
