import { registerHooks } from "node:module";

/**
 * The findings of GitHub's own parser about a workflow. It imports JSON like a bundler, which Node does only with a loader.
 * @param name the file's, for messages
 */
export async function workflowFaults(name: string, content: string): Promise<readonly string[]> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) => ({
      ...next(specifier, context),
      ...(specifier.endsWith(".json") ? { importAttributes: { type: "json" } } : {}),
    }),
  });
  const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import(
    "@actions/workflow-parser"
  ).finally(() => hooks.deregister());
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}
