"""What a build's files tell of modules, roots, language level and test libraries."""

import textwrap
import tracemalloc
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import Change, Dependency, Index, Module, find_modules, module_at


def modules_of(files: Mapping[str, str], *java_files: str) -> tuple[Module, ...]:
    changes = [Change(path, b"package a.b; class A { }") for path in java_files]
    encoded = {path: textwrap.dedent(text).strip().encode() for path, text in files.items()}
    return find_modules(encoded, Index().apply(changes).files)


def check_modules(files: Mapping[str, str], *expected: str) -> None:
    """Each module as ``folder java libraries -> required folders``."""
    found = []
    for one in modules_of(files):
        libraries = ", ".join(f"{name} {version}" for name, version in one.libraries.items())
        line = f"{one.folder or '.'} {one.java}: {libraries}"
        found.append(line + (f" -> {', '.join(one.requires)}" if one.requires else ""))
    assert found == list(expected)


def dependency(group: str, artifact: str, version: str = "") -> str:
    inside = f"<version>{version}</version>" if version else ""
    return (
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>{inside}"
        "</dependency>"
    )


def pom(inside: str, artifact: str = "app", parent: str = "") -> str:
    own = f"<groupId>x</groupId><artifactId>{parent or artifact}</artifactId>"
    if parent:
        own = f"<parent>{own}</parent><artifactId>{artifact}</artifactId>"
    return f'<project xmlns="http://maven.apache.org/POM/4.0.0">{own}{inside}</project>'


# ---------------------------------------------------------------- Maven


def test_a_pom_tells_level_and_libraries():
    check_modules(
        {
            "pom.xml": pom(
                "<properties><maven.compiler.release>17</maven.compiler.release>"
                "<m>5.2.0</m></properties><dependencies>"
                + dependency("org.junit.jupiter", "junit-jupiter", "5.9.2")
                + dependency("org.mockito", "mockito-core", "${m}")
                + dependency("com.acme", "tool", "1")
                + "</dependencies>"
            )
        },
        ". 17: junit5 5.9.2, mockito 5.2.0",
    )


def test_modules_inherit_properties_management_and_dependencies():
    check_modules(
        {
            "pom.xml": pom(
                "<properties><java.version>1.8</java.version><j>4.13.2</j></properties>"
                "<dependencyManagement><dependencies>"
                + dependency("junit", "junit", "${j}")
                + dependency("org.junit", "junit-bom", "5.10.0")
                + "</dependencies></dependencyManagement><dependencies>"
                + dependency("org.assertj", "assertj-core", "3.24.2")
                + "</dependencies>",
                "root",
            ),
            "core/pom.xml": pom(
                "<dependencies>" + dependency("junit", "junit") + "</dependencies>", "core", "root"
            ),
            "web/pom.xml": pom(
                "<dependencies>"
                + dependency("org.junit.jupiter", "junit-jupiter-api")
                + dependency("x", "core", "${project.version}")
                + "</dependencies>",
                "web",
                "root",
            ),
        },
        ". 8: assertj 3.24.2",
        "core 8: junit4 4.13.2, assertj 3.24.2",
        "web 8: junit5 5.10.0, assertj 3.24.2 -> core",
    )


def test_the_compiler_plugin_tells_the_level():
    check_modules(
        {
            "pom.xml": pom(
                "<build><plugins><plugin><artifactId>maven-compiler-plugin</artifactId>"
                "<configuration><source>11</source></configuration></plugin></plugins></build>"
            )
        },
        ". 11: ",
    )


@pytest.mark.parametrize(
    ("told", "java", "of_tests"),
    [
        ({"source": "8", "target": "11"}, "8", None),
        ({"target": "9", "source": "8", "release": "11"}, "11", None),
        ({"release": "11", "testSource": "17"}, "11", None),
        ({"source": "8", "testSource": "17", "testTarget": "21"}, "8", "17"),
        ({"release": "8", "testRelease": "17"}, "8", "17"),
        ({"release": "8", "testRelease": "8"}, "8", None),
    ],
)
def test_a_release_goes_before_sources_and_tests_may_have_their_own(
    told: dict[str, str], java: str, of_tests: str | None
):
    named = "".join(f"<maven.compiler.{k}>{v}</maven.compiler.{k}>" for k, v in told.items())
    (one,) = modules_of({"pom.xml": pom(f"<properties>{named}</properties>")})
    assert (one.java, one.java_of_tests) == (java, of_tests)


def compiler(level: str) -> str:
    return (
        "<build><plugins><plugin><artifactId>maven-compiler-plugin</artifactId>"
        f"<configuration><release>{level}</release></configuration></plugin></plugins></build>"
    )


@pytest.mark.parametrize(("active", "java"), [("true", "8"), ("false", "17")])
def test_a_profile_counts_only_where_it_is_active_by_default(active: str, java: str):
    check_modules(
        {
            "pom.xml": pom(
                "<properties><maven.compiler.release>17</maven.compiler.release></properties>"
                "<profiles><profile><id>legacy</id><activation>"
                f"<activeByDefault>{active}</activeByDefault></activation>{compiler('8')}"
                "</profile></profiles>"
            )
        },
        f". {java}: ",
    )


def test_what_an_active_profile_says_goes_before_what_all_have():
    (one,) = modules_of(
        {
            "pom.xml": pom(
                "<properties><java.version>8</java.version></properties>"
                "<build><sourceDirectory>old</sourceDirectory></build>"
                "<profiles><profile><activation><activeByDefault>true</activeByDefault>"
                "</activation><properties><java.version>17</java.version></properties>"
                "<build><sourceDirectory>new</sourceDirectory></build></profile></profiles>"
            )
        }
    )
    assert (one.java, one.sources) == ("17", ("new",))


@pytest.mark.parametrize("name", ["project.version", "pom.version", "version", "mine"])
def test_a_file_has_the_version_of_its_parent_and_its_own_properties(name: str):
    used = dependency("org.testng", "testng", f"${{{name}}}")
    mine = "<properties><mine>${project.parent.version}</mine></properties>"
    inside = f"{mine}<dependencies>{used}</dependencies>"
    child = pom(inside, parent="root").replace("</parent>", "<version>7.0</version></parent>")
    check_modules({"pom.xml": child}, ". None: testng 7.0")


def test_a_module_whose_version_is_managed_is_no_bill_of_materials():
    managed = "<dependencyManagement><dependencies>{}</dependencies></dependencyManagement>"
    used = "<dependencies>" + dependency("junit", "junit") + "</dependencies>"
    check_modules(
        {
            "core/pom.xml": pom(managed.format(dependency("junit", "junit", "4.13")), "core"),
            "web/pom.xml": pom(managed.format(dependency("x", "core", "1")) + used, "web"),
        },
        "core None: ",
        "web None: junit4 None",
    )


def test_what_a_plugin_says_goes_before_what_a_parent_manages():
    managed = compiler("8").replace("<build>", "<build><pluginManagement>")
    managed = managed.replace("</build>", "</pluginManagement></build>")
    check_modules(
        {"pom.xml": pom(managed, "root"), "a/pom.xml": pom(compiler("17"), "a", "root")},
        ". 8: ",
        "a 17: ",
    )


def test_a_bill_of_materials_of_the_workspace_is_read():
    bill = dependency("x", "{}").replace("</dep", "<scope>import</scope></dep")
    managed = "<dependencyManagement><dependencies>{}</dependencies></dependencyManagement>"
    check_modules(
        {
            "bom/pom.xml": pom(
                "<properties><v>4.13.2</v></properties>"
                + managed.format(dependency("junit", "junit", "${v}") + bill.format("more")),
                "bom",
            ),
            "more/pom.xml": pom(
                managed.format(
                    dependency("org.testng", "testng", "7.0")
                    + dependency("junit", "junit", "3.8")
                    + bill.format("bom")
                ),
                "more",
            ),
            "web/pom.xml": pom(
                managed.format(bill.format("bom"))
                + "<dependencies>"
                + dependency("junit", "junit")
                + dependency("org.testng", "testng")
                + "</dependencies>",
                "web",
            ),
        },
        "bom None: ",
        "more None: ",
        "web None: junit4 4.13.2, testng 7.0",
    )


def test_roots_may_be_added():
    (one,) = modules_of(
        {
            "a/pom.xml": pom(
                "<build><plugins><plugin><artifactId>build-helper-maven-plugin</artifactId>"
                "<executions><execution><goals><goal>add-test-source</goal></goals><configuration>"
                "<sources><source>src/it/java</source><source>${unknown}/x</source></sources>"
                "</configuration></execution><execution><goals><goal>add-source</goal></goals>"
                "<configuration><sources><source>${project.basedir}/gen</source>"
                "<source>src/main/java</source></sources>"
                "</configuration></execution></executions></plugin></plugins></build>"
            )
        }
    )
    assert one.sources == ("a/src/main/java", "a/gen")
    assert one.tests == ("a/src/test/java", "a/src/it/java")


def test_roots_may_be_moved():
    (one,) = modules_of(
        {
            "a/pom.xml": pom(
                "<build><sourceDirectory>src</sourceDirectory>"
                "<testSourceDirectory>${basedir}/test</testSourceDirectory></build>"
            )
        }
    )
    assert (one.sources, one.tests) == (("a/src",), ("a/test",))


def test_what_stands_outside_the_workspace_is_unknown():
    check_modules(
        {
            "pom.xml": pom(
                "<dependencies>"
                + dependency("org.springframework.boot", "spring-boot-starter-test")
                + dependency("org.testng", "testng", "${testng.version}")
                + "</dependencies>",
                parent="spring-boot-starter-parent",
            )
        },
        ". None: junit5 None, mockito None, assertj None, hamcrest None, testng None",
    )


def test_a_library_with_the_name_of_a_module_but_of_another_group_is_no_module():
    used = "<dependencies>" + dependency("com.google.zxing", "core", "3.5") + "</dependencies>"
    modules = modules_of(
        {"core/pom.xml": pom("", "core", "root"), "qr/pom.xml": pom(used, "qr", "root")}
    )
    (qr,) = (one for one in modules if one.folder == "qr")
    assert qr.dependencies == (Dependency("com.google.zxing", "core", "3.5"),)
    assert qr.requires == ()


@pytest.mark.parametrize(
    "group",
    [
        "x",
        "${project.groupId}",
        "${pom.groupId}",
        "${project.parent.groupId}",
        "${mine}",
        "${not.known}",
        "@project.groupId@",
    ],
)
def test_the_group_of_a_module_may_be_told_by_a_property_or_not_at_all(group: str):
    used = "<dependencies>" + dependency(group, "core") + "</dependencies>"
    modules = modules_of(
        {
            "pom.xml": pom("<properties><mine>x</mine></properties>", "root"),
            "core/pom.xml": pom("<groupId>${mine}</groupId>", "core", "root"),
            "web/pom.xml": pom(used, "web", "root"),
        }
    )
    assert [(one.folder, one.requires) for one in modules if one.requires] == [("web", ("core",))]


def test_a_parent_is_of_the_group_that_the_child_names():
    def level(java: str, group: str) -> str:
        return (
            f"<project><groupId>{group}</groupId><artifactId>parent</artifactId><properties>"
            f"<java.version>{java}</java.version></properties></project>"
        )

    check_modules(
        {
            "pom.xml": level("8", "other"),
            "ours/pom.xml": level("17", "x"),
            "theirs/pom.xml": level("11", "y"),
            "web/pom.xml": pom("", "web", "parent"),
        },
        ". 8: ",
        "ours 17: ",
        "theirs 11: ",
        "web 17: ",
    )


def test_a_parent_lies_where_the_child_says_or_above_it():
    def level(java: str) -> str:
        return pom(f"<properties><java.version>{java}</java.version></properties>", "root")

    there = "<relativePath>../parents/pom.xml</relativePath></parent>"
    check_modules(
        {
            "pom.xml": level("8"),
            "core/pom.xml": pom("", "core", "root"),
            "parents/pom.xml": level("11"),
            "web/pom.xml": pom("", "web", "root").replace("</parent>", there),
            "zoo/pom.xml": level("17"),
        },
        ". 8: ",
        "core 8: ",
        "parents 11: ",
        "web 11: ",
        "zoo 17: ",
    )


def test_parents_in_a_circle_end():
    check_modules(
        {"a/pom.xml": pom("", "a", "b"), "b/pom.xml": pom("<x>${y}</x>", "b", "a")},
        "a None: ",
        "b None: ",
    )


@pytest.mark.parametrize(
    "value",
    ["${a}", "${b}", "${c}${c}${c}", "${", "${}"],
    ids=["self", "pair", "many", "open", "no"],
)
def test_properties_that_never_end_are_unknown(value: str):
    found = modules_of(
        {
            "pom.xml": pom(
                f"<properties><a>{value}</a><b>${{a}}</b><c>${{c}}${{c}}</c></properties>"
                "<dependencies>" + dependency("org.testng", "testng", "${a}") + "</dependencies>"
            )
        }
    )
    assert found[0].libraries.keys() == {"testng"}


# ---------------------------------------------------------------- Gradle


def test_a_groovy_build_tells_level_and_libraries():
    check_modules(
        {
            "build.gradle": """
            ext { mockitoVersion = '4.0.0' }
            sourceCompatibility = '1.8'
            dependencies {
                implementation 'com.acme:tool:1.0'
                testImplementation "org.mockito:mockito-core:$mockitoVersion"
                testCompile group: 'junit', name: 'junit', version: '4.12'
                // testImplementation 'org.testng:testng:7.0'
            }
            """
        },
        ". 8: mockito 4.0.0, junit4 4.12",
    )


def test_a_kotlin_build_with_a_catalog_and_modules():
    check_modules(
        {
            "settings.gradle.kts": 'include(":core", ":app:web")',
            "build.gradle.kts": """
            subprojects {
                java { toolchain { languageVersion.set(JavaLanguageVersion.of(17)) } }
                dependencies { testImplementation(libs.assertj.core) }
            }
            """,
            "gradle/libs.versions.toml": """
            [versions]
            junit = "5.10.1"
            [libraries]
            junit-api = { module = "org.junit.jupiter:junit-jupiter-api", version.ref = "junit" }
            assertj-core = "org.assertj:assertj-core:3.25.0"
            [bundles]
            tests = ["junit-api"]
            """,
            "core/build.gradle.kts": "dependencies { testImplementation(libs.bundles.tests) }",
            "app/web/build.gradle.kts": """
            dependencies {
                implementation(project(":core"))
                testImplementation(platform("org.junit:junit-bom:5.9.0"))
                testImplementation("org.junit.jupiter:junit-jupiter")
            }
            """,
        },
        ". None: ",
        "app/web 17: assertj 3.25.0, junit5 5.9.0 -> core",
        "core 17: assertj 3.25.0, junit5 5.10.1",
    )


def test_versions_may_stand_in_the_properties():
    check_modules(
        {
            "gradle.properties": "\ufefftestngVersion=7.8.0\n",
            "build.gradle": 'dependencies { test "org.testng:testng:${testngVersion}" }',
        },
        ". None: testng 7.8.0",
    )


def test_projects_that_a_script_moves_are_found_by_their_folder():
    check_modules(
        {
            "settings.gradle": """
            include 'api'
            include 'core'
            include 'tool'
            project(':api').projectDir = file('modules/api')
            project(':tool').projectDir = file('modules/helper')
            rootProject.children.each { it.projectDir = file("modules/$it.name") }
            """,
            "modules/api/build.gradle": "dependencies { compile project(':tool') }",
            "modules/helper/build.gradle": "dependencies { compile project(':core') }",
            "modules/core/build.gradle": "dependencies { testCompile 'junit:junit-dep:4.11' }",
        },
        "modules/api None:  -> modules/helper",
        "modules/core None: junit4 4.11",
        "modules/helper None:  -> modules/core",
    )


def test_a_project_that_may_lie_in_several_folders_is_where_its_name_says():
    check_modules(
        {
            "settings.gradle": "include 'core', 'web'",
            "old/core/build.gradle": "",
            "new/core/build.gradle": "",
            "web/build.gradle": "dependencies { api project(':core') }",
        },
        "core None: ",
        "new/core None: ",
        "old/core None: ",
        "web None:  -> core",
    )


def test_a_folder_whose_name_begins_as_another_is_not_in_it():
    script = "allprojects { dependencies { test 'junit:junit:4.13' } }"
    check_modules(
        {"app/build.gradle": script, "app/x/build.gradle": "", "app-web/build.gradle": ""},
        "app None: junit4 4.13",
        "app-web None: ",
        "app/x None: junit4 4.13",
    )


def test_source_sets_may_be_moved():
    (one,) = modules_of(
        {
            "build.gradle": """
            sourceSets {
                main { java { srcDirs = ['src', 'gen'] } }
                test { java { srcDir 'test' } }
            }
            """
        }
    )
    assert (one.sources, one.tests) == (("src", "gen"), ("test",))


@pytest.mark.parametrize(
    "script",
    [
        "sourceSets.main.java.srcDirs = ['a', 'b']",
        "sourceSets.main.java.srcDir 'a'; sourceSets.main.java.srcDir 'b'",
        "sourceSets { main.java.srcDirs = ['a', 'b'] }",
        "sourceSets { main { java { srcDirs = [\n'a', // first\n'b'\n] } } }",
        "sourceSets { main { java { srcDirs 'a', 'b' }\n resources { srcDir 'res' } } }",
        'sourceSets["main"].java.srcDir("a")\nsourceSets["main"].java.srcDir("b")',
        'sourceSets { getByName("main") { java.setSrcDirs(listOf("a", "b")) } }',
        'sourceSets.named("main") { java { setSrcDirs(listOf("a", "b")) } }',
        'sourceSets { val main by getting { java.srcDirs("a", "b") } }',
        "sourceSets.getByName('main').java.srcDirs = files('a', \"$projectDir/b\")",
        "android { sourceSets { main.java.srcDirs = ['a', 'b'] } }",
        "sourceSets { if (old) { main { java { srcDirs = ['a'] + ['b']\nsrcDirs('b') } } } }",
    ],
)
@pytest.mark.parametrize("kind", ["main", "test"])
def test_roots_are_read_however_they_are_written(script: str, kind: str):
    (one,) = modules_of({"x/build.gradle": script.replace("main", kind)})
    roots = {"main": one.sources, "test": one.tests}
    assert roots.pop(kind) == ("x/a", "x/b")
    (other,) = roots
    assert roots[other] == (f"x/src/{other}/java",)


def test_roots_may_be_added_to_the_usual_ones():
    (one,) = modules_of({"build.gradle": "sourceSets.main.java.srcDirs += 'gen'"})
    assert one.sources == ("src/main/java", "gen")


def test_roots_may_lie_outside_of_their_module():
    script = 'sourceSets.main.java.srcDirs = ["$rootDir/shared", \'own\', "$unknown/x"]'
    _, one = modules_of({"build.gradle": "", "a/b/build.gradle": script})
    assert one.sources == ("shared", "a/b/own")


def check_dependencies(block: str, *expected: str, more: str = "") -> None:
    """What a module has of Gradle's dependencies, as ``group:artifact:version``."""
    (one,) = modules_of({"build.gradle": f"{more}\ndependencies {{\n{block}\n}}"})
    assert [f"{d.group}:{d.artifact}:{d.version}" for d in one.dependencies] == list(expected)


@pytest.mark.parametrize(
    "block",
    [
        "testImplementation 'a:b:1', 'c:d:2'",
        "testImplementation 'a:b:1',\n    'c:d:2'",
        "testImplementation(\n'a:b:1',\n'c:d:2'\n)",
        "testImplementation(['a:b:1', 'c:d:2'])",
        '"testImplementation"("a:b:1")\n"testImplementation"("c:d:2")',
        'add("testImplementation", "a:b:1"); add("x", "c:d:2")',
        "test('a:b:1') { exclude group: 'e' }\ntest group: 'c', name: 'd', version: '2'",
        'test(group = "a", name = "b", version = "1")\ntest("c:d:2") { isTransitive = false }',
        "test('a:b:1:tests@jar') ; test 'c:d:2@aar'",
        "if (wanted) {\n test 'a:b:1'\n} else test 'c:d:2'",
        "def v = '1'\ntest \"a:b:$v\"\ntest 'c:d:' + w",
        "test deps.b\ntest deps.more.d",
        "test 'a:b'\ntest 'c:d'\nconstraints {\ntest 'a:b:1'\ntest 'c:d:2'\n}",
        "test project(':e'), 'a:b:1'\ntest files('lib/c.jar')\ntest testFixtures('c:d:2')",
        "test 'a:b:1!!'\ntest 'c:d:2'",
        "ext.set('v', '1')\ntest \"a:b:$v\", 'c:d:2'",
    ],
)
def test_dependencies_are_read_however_they_are_written(block: str):
    variables = "def w = '2'\next.deps = [b: 'a:b:1', more: [d: \"c:d:${w}\"]]"
    check_dependencies(block, "a:b:1", "c:d:2", more=variables)


def test_what_a_build_itself_runs_on_is_no_dependency():
    check_dependencies(
        "api 'a:b:1'", "a:b:1", more="buildscript { dependencies { classpath 'c:d:2' } }"
    )


def test_a_plugin_may_manage_versions():
    more = """
    dependencyManagement {
        imports { mavenBom 'org.junit:junit-bom:5.9.0' }
        dependencies { dependency 'a:b:1'; dependency 'c:d:2' }
    }
    """
    check_dependencies(
        "test 'a:b'\ntest 'org.junit.jupiter:junit-jupiter'",
        "a:b:1",
        "org.junit.jupiter:junit-jupiter:5.9.0",
        more=more,
    )


def test_a_module_is_used_by_its_path_or_by_its_accessor():
    builds = {
        "settings.gradle.kts": 'include(":core-api", ":app:lib", ":web", ":other")',
        "build.gradle.kts": """
        project(":other") { dependencies { "testImplementation"(project(":web")) } }
        """,
        "web/build.gradle.kts": """
        dependencies {
            implementation(projects.coreApi)
            testImplementation(project(path = ":app:lib", configuration = "tests"))
            testImplementation(project(":web"))
        }
        """,
        "app/lib/build.gradle": "dependencies { api project(':core-api') ; api projects.web }",
    }
    found = {one.folder: (one.requires, one.dependencies) for one in modules_of(builds)}
    assert found == {
        "": ((), ()),
        "app/lib": (("core-api", "web"), ()),
        "core-api": ((), ()),
        "other": (("web",), ()),
        "web": (("app/lib", "core-api"), ()),
    }


@pytest.mark.parametrize(
    "script",
    [
        "compileTestJava { options.release = 17 }\ncompileJava { options.release = 8 }",
        "compileTestJava{release=17} \n compileJava{release=8}",
        "compileJava { options.release = 8 }\ncompileTestJava { options.release = 17 }",
        "compileJava.options.release = 8; java { sourceCompatibility = 17 }",
        'tasks.named<JavaCompile>("compileJava") { options.release.set(8) }',
        "tasks.withType(JavaCompile).configureEach { options.release = 8 }",
        "java.toolchain.languageVersion = JavaLanguageVersion.of(17)\nsourceCompatibility = 1.8",
        "def level = JavaVersion.VERSION_1_8\njava { sourceCompatibility(level) }",
        "javadoc { launcherFor { languageVersion = of(17) } }\nsourceCompatibility = 8",
        "kotlin { jvmToolchain(8) }",
    ],
)
def test_the_level_is_that_of_the_code_that_is_tested(script: str):
    check_modules({"build.gradle": script}, ". 8: ")


@pytest.mark.parametrize(
    "of_tests",
    [
        "compileTestJava { sourceCompatibility = 17 }",
        "compileTestJava { options.release = 17 }",
        "compileTestJava.options.release.set(17)",
        "tasks.compileTestJava { options.release.set(17) }",
        "tasks { compileTestJava { sourceCompatibility = JavaVersion.VERSION_17.toString() } }",
        'tasks.named<JavaCompile>("compileTestJava") { options.release.set(17) }',
        'tasks.named("compileTestJava", JavaCompile::class) { options.release = 17 }',
        'tasks.named("compileTestJava").configure { options.release = 17 }',
        "compileTestJava.javaCompiler = javaToolchains.compilerFor { languageVersion = of(17) }",
    ],
)
@pytest.mark.parametrize(
    "of_all", ["java.toolchain.languageVersion = of(8)", "compileJava { options.release = 8 }"]
)
def test_tests_may_have_a_level_of_their_own(of_tests: str, of_all: str):
    for script in (f"{of_all}\n{of_tests}", f"{of_tests}\n{of_all}"):
        (one,) = modules_of({"build.gradle": script})
        assert (one.java, one.java_of_tests) == ("8", "17")


@pytest.mark.parametrize(
    ("script", "of_tests"),
    [
        ("sourceCompatibility = 8; compileIntegrationTestJava { options.release = 17 }", None),
        ("sourceCompatibility = 8; compileTestJava { sourceCompatibility = 8 }", None),
        ("java.toolchain.languageVersion = of(17); compileJava { options.release = 8 }", "17"),
        (
            "tasks.withType(JavaCompile) { options.release = 8 }\n"
            "compileTestJava { sourceCompatibility = 17 }",
            None,
        ),
    ],
)
def test_what_counts_most_of_all_tasks_counts_most_of_tests(script: str, of_tests: str | None):
    (one,) = modules_of({"build.gradle": script})
    assert (one.java, one.java_of_tests) == ("8", of_tests)


@pytest.mark.parametrize(
    "text", ["{" * 9000, "(" * 9000, "a=" * 9000, "a." * 9000, "a b " * 9000, "a {b(" * 9000]
)
def test_scripts_of_any_depth_and_length_are_read(text: str):
    assert [m.folder for m in modules_of({"build.gradle": text})] == [""]


# ---------------------------------------------------------------- neither


def test_a_plain_folder_is_a_module_with_the_roots_that_packages_tell():
    (one,) = modules_of({}, "code/a/b/A.java", "test/a/b/B.java", "other/C.java")
    assert (one.folder, one.tool) == ("", None)
    assert (one.sources, one.tests) == (("code",), ("test",))


def test_a_path_lies_in_the_innermost_module():
    modules = modules_of({"pom.xml": pom(""), "a/pom.xml": pom(""), "a/b/pom.xml": pom("")})
    paths = ["A.java", "a/src/A.java", "a/b/src/A.java", "ab/A.java"]
    folders = [one.folder if (one := module_at(modules, path)) else None for path in paths]
    assert folders == ["", "a", "a/b", ""]


@pytest.mark.parametrize("name", ["pom.xml", "build.gradle", "settings.gradle.kts"])
@pytest.mark.parametrize(
    "text",
    [
        *("", "<project>", "{{{{", '"', "\0", "<a>&b;</a>", "include("),
        "<?xml version='1.0' encoding='no-such'?><project/>",
    ],
)
def test_broken_files_tell_nothing_and_fail_nothing(name: str, text: str):
    assert [m.folder for m in modules_of({name: text})] == [""]


PARTS = """
dependencies {|}|'a:b:1'|project(':a')|${x}|include ':a'|ext.x = '$x'|sourceSets {|main {|srcDir 'x'
|subprojects {|libs.a|/*|"| |libs.bundles.b|group: 'g', name: 'n', version: x|set('x')|set(|(|)|[|]
|.java|=|+=|+|by |get()|project(':a').|project(|add(|projects.|sourceSets["main"]|release =|1.8
"""
parts = st.sampled_from(PARTS.split("|"))


@given(st.lists(parts, max_size=30).map("".join))
def test_any_script_gives_modules(text: str):
    assert modules_of({"build.gradle": text, "settings.gradle": text, "gradle.properties": text})


def test_what_a_build_file_says_without_end_is_not_put_in():
    growing = dependency("${a}" * 200, "junit") * 50
    inside = f"<properties><a>{'x' * 100_000}</a></properties><dependencies>{growing}"
    tracemalloc.start()
    check_modules({"pom.xml": pom(f"{inside}</dependencies>")}, ". None: junit4 None")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000  # it was 200 times the value
    check_modules(
        {"build.gradle": "apply plugin: 'java'", "gradle/libs.versions.toml": "a = " + "[" * 9999},
        ". None: ",
    )
