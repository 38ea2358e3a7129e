// @ts-check
import pulumi from "@pulumi/eslint-plugin";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** The folders of the program. What stands in none of them (tests, toolchain) may import everything. */
const FOLDERS = [
  "settings",
  "plan",
  "config-templates",
  "components",
  "provider",
  "provider/resources",
  "operations",
  "dashboard",
  "commands",
];

/**
 * Imports run one way (docs/architecture.md). What a folder may import of the others is listed here, all else is
 * refused; `types` are erased before the program runs.
 *
 * @type {Record<string, { values?: string[]; types?: string[]; pulumi?: false }>}
 */
const MAY_IMPORT = {
  settings: {},
  plan: { values: ["config-templates"], types: ["settings"], pulumi: false },
  "config-templates": { pulumi: false },
  components: { values: ["plan", "provider/resources"], types: ["operations"] },
  provider: { values: ["operations"], types: ["provider/resources"] },
  "provider/resources": { types: ["operations"] },
  // What a session goes by is the same in a file and on a connection.
  operations: { values: ["config-templates"], pulumi: false },
  dashboard: { values: ["operations"], pulumi: false },
  commands: { values: ["operations", "dashboard", "plan"], pulumi: false },
};

/** @param {string} folder */
function importsOf(folder) {
  const { values = [], types = [], pulumi: mayUsePulumi } = MAY_IMPORT[folder] ?? {};
  const others = FOLDERS.filter((other) => other !== folder && !values.includes(other));
  const patterns = others.map((other) => ({
    regex: pathInto(other),
    allowTypeImports: types.includes(other),
    message: `${folder}/ imports ${types.includes(other) ? "only types" : "nothing"} from ${other}/: see docs/architecture.md.`,
  }));
  const pulumiPattern = {
    regex: "^@pulumi/",
    message: `${folder}/ knows nothing of Pulumi: see docs/architecture.md.`,
  };
  return {
    files: [`${folder}/**/*.ts`],
    ...(folder === "provider" ? { ignores: ["provider/resources/**"] } : {}),
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        { patterns: mayUsePulumi === false ? [...patterns, pulumiPattern] : patterns },
      ],
    },
  };
}

/**
 * A relative path that leads into a folder. `provider` means all of it but `provider/resources`, which has a line of
 * its own and is called `../resources` by its neighbours.
 *
 * @param {string} folder
 */
function pathInto(folder) {
  if (folder === "provider") return "^\\.{1,2}/(.*/)?provider/(?!resources/)";
  if (folder === "provider/resources") return "^\\.{1,2}/(.*/)?(provider/)?resources/";
  return `^\\.{1,2}/(.*/)?${folder}/`;
}

/** Ways to a stack's configuration: `pulumi.Config`, `import { Config } from "@pulumi/pulumi"`, `runtime.allConfig`. */
const CONFIGURATION_READERS = [
  'MemberExpression[object.name="pulumi"][property.name="Config"]',
  'ImportDeclaration[source.value="@pulumi/pulumi"] > ImportSpecifier[imported.name="Config"]',
  "MemberExpression[property.name=/^(allConfig|getConfig)$/]",
];

export default defineConfig(
  globalIgnores(["node_modules/", ".pulumi-local/", ".pg-topology/"]),
  tseslint.configs.strictTypeChecked,
  {
    files: ["**/*.{ts,js}"],
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["eslint.config.js"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { "@pulumi": pulumi },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@pulumi/no-output-in-template-literal": "error",
      "@pulumi/no-output-instance-in-template-literal": "error",
      // `return this.#report(...)` is an early return like any other.
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // An async function without await is how an interface of promises is kept: what it throws becomes a rejection.
      "@typescript-eslint/require-await": "off",
      eqeqeq: "error",
    },
  },
  {
    files: ["**/*.ts"],
    ignores: ["settings/**", "tests/**"],
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: CONFIGURATION_READERS.join(", "), message: "only settings/ reads the configuration of the stack" },
      ],
    },
  },
  {
    // What awaits at the top of a file runs before any constant below it is there: functions are declared.
    files: ["commands/**/*.ts", "bench/run.ts"],
    rules: {
      "@typescript-eslint/no-use-before-define": ["error", { functions: false, ignoreTypeReferences: true }],
    },
  },
  ...FOLDERS.map(importsOf),
);
