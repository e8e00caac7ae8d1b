import { join } from 'node:path';

import ts from 'typescript';

import { root } from './program.js';

/** A property of a type, as its declaration tells of it. */
export interface Property {
  readonly name: string;
  readonly isOptional: boolean;
  /** What stands behind `@defaultValue`. */
  readonly defaultValue: string | undefined;
}

/** Those of the repository: the strictest. */
export function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  return ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root).options;
}

/** What the sources of the library declare. */
export class Declarations {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;

  constructor(files: readonly string[]) {
    const options = compilerOptions();
    this.#program = ts.createProgram(
      files.map((file) => join(root, file)),
      options,
    );
    this.#checker = this.#program.getTypeChecker();
  }

  /** All properties of a type that a file exports, inherited ones too, but for those that are internal. */
  propertiesOf(file: string, name: string): Property[] {
    return this.#propertiesOf(this.#typeOf(file, name));
  }

  /** The same of the types of its own properties, by their names. */
  partsOf(file: string, name: string): Map<string, Property[]> {
    const type = this.#typeOf(file, name);
    return new Map(
      type
        .getProperties()
        .map((symbol) => [symbol.name, this.#propertiesOf(this.#checker.getTypeOfSymbol(symbol))]),
    );
  }

  #typeOf(file: string, name: string): ts.Type {
    const source = this.#program.getSourceFile(join(root, file));
    const module = source && this.#checker.getSymbolAtLocation(source);
    const symbol = module?.exports?.get(ts.escapeLeadingUnderscores(name));
    if (symbol === undefined) throw new Error(`${file} exports no ${name}`);
    return this.#checker.getDeclaredTypeOfSymbol(symbol);
  }

  #propertiesOf(type: ts.Type): Property[] {
    return type.getProperties().flatMap((symbol) => {
      const tags = symbol.getJsDocTags(this.#checker);
      if (tags.some(({ name: tag }) => tag === 'internal')) return [];
      const text = tags.find(({ name: tag }) => tag === 'defaultValue')?.text;
      return {
        name: symbol.name,
        isOptional: (symbol.flags & ts.SymbolFlags.Optional) !== 0,
        defaultValue: text && ts.displayPartsToString(text),
      };
    });
  }
}
